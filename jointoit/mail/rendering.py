"""From the facts of a message to the mail on the wire: subject, text, HTML, calendar part and headers."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.utils import format_datetime
from functools import cache
from pathlib import Path
from typing import Any

import css_inline
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template import Context, Engine

from jointoit.mail import links, payload, ticket
from jointoit.mail.calendar import seat_calendar
from jointoit.mail.links import Kind
from jointoit.mail.messages import (
    AccountMessage,
    ConfirmEmail,
    EventChanged,
    EventHandedOver,
    EventReminder,
    HandoverAccepted,
    InvitationMessage,
    Message,
    PasswordReset,
    Person,
    Priority,
    SeatMessage,
    TicketMessage,
    Welcome,
)
from jointoit.mail.models import OutboxMail
from jointoit.mail.sender import domain, sender
from jointoit.mail.times import moment, on_site, when

HERE = Path(__file__).resolve().parent / "templates"
INLINER = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
#: Which link a mail about an account carries.
TOKENS: dict[type[Message], Kind] = {
    Welcome: "verify_email",
    ConfirmEmail: "change_email",
    PasswordReset: "reset_password",
}
#: Nobody shall put a link into a mail to others: anybody may sign up with somebody else's address.
PART_OF_A_LINK = re.compile(r"[/:@\\]")
DOT_OF_A_DOMAIN = re.compile(r"(?<=\w)\.(?=\w{2})")
Mint = Callable[..., str]


@dataclass(frozen=True)
class Content:
    subject: str
    text: str
    html: str


class TicketMail(EmailMultiAlternatives):
    """Its page shows a part of the same mail (RFC 2387)."""

    def message(self, **options: Any) -> Any:
        found: Any = super().message(**options)
        found.set_type("multipart/related")
        return found


def compose(mail: OutboxMail, *, now: datetime) -> EmailMultiAlternatives:
    """The mail as it goes to the server now. Raises whatever is wrong with the facts or the templates."""
    message = payload.load(mail.kind, mail.payload)
    content = write(message)
    kind = TicketMail if isinstance(message, TicketMessage) else EmailMultiAlternatives
    email = kind(
        subject=content.subject,
        body=content.text,
        from_email=str(sender()),
        to=[recipient(message.to)],
        headers=headers(mail, message, now=now),
    )
    email.attach_alternative(content.html, "text/html")
    if isinstance(message, TicketMessage):
        email.attach(ticket.picture(message))
    if isinstance(message, SeatMessage) and (part := seat_calendar(message, promised_at=mail.created_at)):
        email.attach_alternative(part.decode(), f"text/calendar; method={message.calendar_method}")
    return email


def write(
    message: Message,
    *,
    mint: Mint = links.mint,
    mint_unsubscribe: Mint = links.mint_unsubscribe,
    mint_invitation: Mint = links.mint_invitation,
    mint_registration: Mint = links.mint_registration,
    ticket_of: ticket.TicketOf = ticket.ticket_of,
) -> Content:
    """Subject, text and HTML. What makes the tokens may be given: a preview wants some that open nothing."""
    context = context_of(message, mint)
    if isinstance(message, InvitationMessage):
        context["link"] = links.invitation_address(mint_invitation(message.invitation_id))
    if isinstance(message, SeatMessage):
        own_page = links.registration_address(mint_registration(message.registration_id, message.to.address))
        context |= {"own_page": own_page, "cancel_page": f"{own_page}cancel/"}
    if isinstance(message, EventReminder):
        context["unsubscribe"] = links.unsubscribe_address(mint_unsubscribe(message.registration_id))
    if isinstance(message, TicketMessage):
        mailed = ticket_of(message)
        context |= {"ticket": mailed, "picture": ticket.content_id(), "markup": ticket.markup(message, mailed)}

    def rendered(engine: Engine, name: str) -> str:
        return engine.get_template(f"mail/{message.kind}/{name}").render(Context(context, autoescape=engine.autoescape))

    return Content(
        subject=one_line(rendered(text_engine(), "subject.txt")),
        text=tidy(rendered(text_engine(), "body.txt")),
        html=INLINER.inline(rendered(html_engine(), "body.html")),
    )


def context_of(message: Message, mint: Mint) -> dict[str, Any]:
    context = {"message": message, "to": message.to, "name": greetable(message.to.name), "service": service()}
    if isinstance(message, AccountMessage) and (kind := TOKENS.get(type(message))):
        address = message.to.address
        token = mint(kind, user_id=message.user_id, token_epoch=message.token_epoch, address=address)
        context |= {"token": token, "link": links.address_of(kind, token)}
    if isinstance(message, InvitationMessage):
        context["until"] = moment(message.expires_at, message.to.timezone)
    if isinstance(message, SeatMessage | InvitationMessage | HandoverAccepted | EventHandedOver) and message.event:
        zone = message.to.timezone
        context |= {"event": message.event, "when": when(message.event, zone), "on_site": on_site(message.event, zone)}
    if isinstance(message, EventChanged):
        context |= {"before": message.before, "was": when(message.before, message.to.timezone)}
    return context


def service() -> str:
    """What the sender calls itself, or the address where it does not."""
    return sender().display_name or settings.DEFAULT_FROM_EMAIL


def greetable(name: str) -> str:
    """The name to greet, without dots of which a mail program would make a link; nothing where it is an address."""
    return "" if PART_OF_A_LINK.search(name) else one_line(DOT_OF_A_DOMAIN.sub(" ", name))


def recipient(person: Person) -> str:
    """The address alone: a name that the account's owner chose has no place in the header of a mail to others.

    Raises ValueError for anything but one plain address.
    """
    try:
        address = Address(addr_spec=person.address)
    except (HeaderParseError, IndexError) as error:
        raise ValueError(f"No address: {error}") from None
    if not (address.username and address.domain) or address.addr_spec != person.address:
        raise ValueError("No address in its plain form.")
    return address.addr_spec


def headers(mail: OutboxMail, message: Message, *, now: datetime) -> dict[str, str]:
    """RFC 3834 section 5 keeps answering machines quiet; RFC 2919 section 3 names what was sent to many.

    RFC 2369 and RFC 8058 let mail programs offer to stop what one can do without: reminders. The other mails tell of a
    step that the reader or the organizer took, and stop with the registration.
    """
    known = {
        "Message-ID": mail.message_id,
        "Date": format_datetime(now),
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "OOF, AutoReply",
    }
    if message.priority is Priority.BULK and isinstance(message, SeatMessage):
        known |= {"Precedence": "bulk", "List-Id": f"<event-{message.event.id}.{domain()}>"}
    if isinstance(message, EventReminder):
        address = links.unsubscribe_address(links.mint_unsubscribe(message.registration_id))
        known |= {"List-Unsubscribe": f"<{address}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    return known


@cache
def text_engine() -> Engine:
    """Writes text as it is: in a plain mail `&amp;` would be five characters."""
    return engine(autoescape=False)


@cache
def html_engine() -> Engine:
    return engine(autoescape=True)


def engine(*, autoescape: bool) -> Engine:
    libraries = {"i18n": "django.templatetags.i18n"}
    return Engine(dirs=[str(HERE)], autoescape=autoescape, libraries=libraries, builtins=["django.templatetags.i18n"])


def one_line(text: str) -> str:
    """No line break and nothing invisible, so that it may stand in a header."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def tidy(text: str) -> str:
    """At most one empty line in a row, none at the ends, no spaces at the ends of lines."""
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip() + "\n"
