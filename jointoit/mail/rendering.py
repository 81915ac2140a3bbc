"""From the facts of a message to the mail on the wire: subject, text, HTML, calendar part and headers."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.errors import HeaderParseError
from email.header import Header
from email.headerregistry import Address
from email.utils import format_datetime
from functools import cache
from pathlib import Path
from typing import Any

import css_inline
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template import Context, Engine
from django.utils.translation import gettext

from jointoit.mail import links, payload, ticket, unverified
from jointoit.mail.calendar import seat_calendar
from jointoit.mail.links import Kind
from jointoit.mail.messages import (
    AccountMessage,
    ApprovalsWaiting,
    ChangeMessage,
    ConfirmEmail,
    EmailChangeAsked,
    EventChanged,
    EventReminder,
    InvitationMessage,
    LoginLink,
    Message,
    OrganizerNews,
    PasswordProof,
    PasswordReset,
    Person,
    Priority,
    RegistrationLink,
    SeatMessage,
    TicketMessage,
    TransferOffer,
    Welcome,
    event_of,
)
from jointoit.mail.models import MailStop, OutboxMail
from jointoit.mail.sender import domain, sender
from jointoit.mail.times import for_reader, moment, when

HERE = Path(__file__).resolve().parent / "templates"
INLINER = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
#: Which link a mail about an account carries.
TOKENS: dict[type[Message], Kind] = {
    Welcome: "verify_email",
    ConfirmEmail: "change_email",
    PasswordReset: "reset_password",
    LoginLink: "log_in",
    PasswordProof: "prove",
}
#: Nobody shall put a link into a mail to others: anybody may sign up with somebody else's address.
PART_OF_A_LINK = re.compile(r"[/:@\\]")
DOT_OF_A_DOMAIN = re.compile(r"(?<=\w)\.(?=\w{2})")
ENCODED_WORD = 75  # characters
Mint = Callable[..., str]


@dataclass(frozen=True)
class Content:
    subject: str
    text: str
    html: str


class Mail(EmailMultiAlternatives):
    def message(self, *args: Any, **options: Any) -> Any:
        """With a subject in encoded words of at most 75 characters (RFC 2047 section 2); Django writes 76."""
        message = super().message(*args, **options)
        if not self.subject.isascii():
            words = Header(str(self.subject), "utf-8", maxlinelen=ENCODED_WORD, header_name="Subject").encode()
            message.replace_header("Subject", words)
        return message


class TicketMail(Mail):
    """Its page shows a part of the same mail (RFC 2387)."""

    def message(self, *args: Any, **options: Any) -> Any:
        found = super().message(*args, **options)
        found.set_type("multipart/related")
        return found


def compose(mail: OutboxMail, *, now: datetime) -> EmailMultiAlternatives:
    """The mail as it goes to the server now. Raises whatever is wrong with the facts or the templates."""
    facts = payload.load(mail.kind, mail.payload)
    message = shown(facts)
    content = write(facts)
    kind = TicketMail if isinstance(message, TicketMessage) else Mail
    email = kind(
        subject=content.subject,
        body=content.text,
        from_email=str(sender()),
        to=[recipient(message.to)],
        headers=headers(mail, message, now=now),
    )
    if (event := event_of(facts)) and event.contact:  # an address in a header stays as it is, or replies are lost
        email.reply_to = [event.contact]
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
    mint_transfer: Mint = links.mint_transfer,
    mint_registration: Mint = links.mint_registration,
    ticket_of: ticket.TicketOf = ticket.ticket_of,
    mint_stop: Mint = links.mint_stop,
    mint_not_me: Mint = links.mint_not_me,
    mint_visitor: Mint = links.mint_visitor,
) -> Content:
    """Subject, text and HTML. What makes the tokens may be given: a preview wants some that open nothing."""
    facts, message = message, shown(message)
    context = context_of(message, mint) | ways_out(message, mint_stop, mint_not_me)
    if isinstance(message, InvitationMessage):
        context["link"] = links.invitation_address(mint_invitation(message.invitation_id))
    if isinstance(message, TransferOffer):
        context["link"] = links.transfer_address(mint_transfer(message.transfer_id))
    if isinstance(facts, RegistrationLink):
        context["link"] = links.visitor_address(mint_visitor(visitor(facts)))
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


def shown(message: Message) -> Message:
    """The message as its reader may see it."""
    return message if message.to.verified else unverified.without_links(message)


def ways_out(message: Message, mint_stop: Mint, mint_not_me: Mint) -> dict[str, str]:
    """How the reader ends mail about the event, about events at all, and from whoever used their address."""
    address, found = message.to.address, {}
    if event := event_of(message):
        found["stop_event"] = links.stop_address(mint_stop(address, f"event:{event.id}"))
        found["stop_all"] = links.stop_address(mint_stop(address, MailStop.SERVICE))
    if not message.to.verified:
        found["not_me"] = links.not_me_address(mint_not_me(address))
    return found


def context_of(message: Message, mint: Mint) -> dict[str, Any]:
    context = {"message": message, "to": message.to, "name": greetable(message.to.name), "service": service()}
    context["legal"] = legal()
    if isinstance(message, AccountMessage) and (kind := TOKENS.get(type(message))):
        context |= account_link(kind, message, message.to.address, mint)
    if isinstance(message, EmailChangeAsked) and message.agree:
        context |= account_link("agree_email", message, message.agree, mint)
    if isinstance(message, ChangeMessage) and message.can_stop:
        context["stop_link"] = account_link("stop_change", message, message.brings_back, mint)["link"]
    if isinstance(message, InvitationMessage):
        context["until"] = moment(message.expires_at, message.to.timezone)
    if event := event_of(message):
        context |= {"event": event, "when": when(event, event.timezone)}
        context |= {"for_reader": for_reader(event, message.to.timezone)}
    if isinstance(message, ApprovalsWaiting | OrganizerNews):
        people = links.people_address(message.event.id)
        context |= {"people": people, "asking": f"{people}?status=pending"}
        context["settings"] = links.edit_address(message.event.id)
    if isinstance(message, EventChanged):
        before, event = message.before, message.event
        moved = (before.date, before.ends_at) != (event.date, event.ends_at)  # of local times a fold makes two the same
        context |= {"before": before, "was": when(before, before.timezone), "moved": moved}
    return context


def account_link(kind: Kind, message: AccountMessage, about: str, mint: Mint) -> dict[str, str]:
    token = mint(kind, user_id=message.user_id, token_epoch=message.token_epoch, address=about)
    return {"token": token, "link": links.address_of(kind, token)}


def visitor(message: RegistrationLink) -> links.Visitor:
    return links.Visitor(
        event_id=message.event.id,
        address=message.to.address,
        first_name=message.first_name,
        last_name=message.last_name,
        timezone=message.to.timezone,
    )


def legal() -> list[tuple[str, str]]:
    """The pages of law that the deployment has, as labels and addresses."""
    pages = {
        gettext("Privacy"): settings.PRIVACY_URL,
        gettext("Terms"): settings.TERMS_URL,
        gettext("Imprint"): settings.IMPRINT_URL,
    }
    return [(label, address) for label, address in pages.items() if address]


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

    RFC 2369 and RFC 8058 let mail programs offer to stop what was sent to many: a reminder stops the reminders, other
    news all mail about the event. Mails to one reader have the same links at their end.
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
    elif message.priority is Priority.BULK and (event := event_of(message)):
        address = links.stop_address(links.mint_stop(message.to.address, f"event:{event.id}"))
    else:
        address = ""
    if address:
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
