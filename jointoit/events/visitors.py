"""Asking for a seat without logging in: a link in a mail shows whose address it is, and lets in."""

from datetime import datetime

from django.db import transaction
from django.utils.crypto import salted_hmac

from jointoit.accounts import addresses, login_links, names, notifications, signup, single_use
from jointoit.accounts.callers import Caller
from jointoit.accounts.login_links import Entry
from jointoit.accounts.models import User
from jointoit.errors import NotFound
from jointoit.events import booking, roles
from jointoit.events.models import Event
from jointoit.events.notifications import event_payload
from jointoit.mail import links, outbox
from jointoit.mail.links import Visitor
from jointoit.mail.messages import RegistrationLink


@transaction.atomic
def ask(
    *, event_id: int, email: str, first_name: str, now: datetime, last_name: str = "", timezone: str = "UTC"
) -> None:
    """Promise a mail with a link that registers; whether an account has the address makes no difference.

    Raises LinkInName, NotFound, and what stands against a registration for everybody, as `booking.register` does.
    """
    event = Event.objects.select_related("organizer").filter(pk=event_id).first()
    if event is None or not roles.sees(Caller(), event):
        raise NotFound
    booking.refuse(event, now=now)
    booking.first_status(event)
    names.refuse_links(User(), first_name=first_name, last_name=last_name)
    to = notifications.person_at(email, timezone=timezone, name=f"{first_name} {last_name}".strip())
    asked = salted_hmac(__name__, email.casefold(), algorithm="sha256").hexdigest()
    about = f"visitor:{asked}:{event_id}:"
    message = RegistrationLink(to=to, event=event_payload(event), first_name=first_name, last_name=last_name)
    until = min(now + links.VISITOR_LIFETIME, event.registration_ends_at)
    outbox.enqueue(message, key=f"{about}{notifications.window(now)}", expires_at=until)
    outbox.forget_about(about)  # it names somebody who may never come; nobody needs it once it has gone out


def look(*, token: str) -> Visitor:
    """Who asked. Raises links.BadToken for a link that was used or is too old."""
    visitor = links.visitor_of(token)
    single_use.refuse_spent(token)
    return visitor


def enter(*, token: str, reader: User | None, now: datetime) -> Entry:
    """Let in whoever read the mail, with a new account where nobody has the address; the link works once.

    `reader` is who is logged in. Raises links.BadToken, and EmailTaken for an address that its account has just left.
    """
    visitor = links.visitor_of(token)
    with transaction.atomic():
        single_use.spend(token, lifetime=links.VISITOR_LIFETIME, now=now)
        if not User.objects.filter(email__iexact=visitor.address).exists():
            addresses.refuse_reserved(visitor.address, user=User())
        user = signup.guest(
            visitor.address, first_name=visitor.first_name, last_name=visitor.last_name, timezone=visitor.timezone
        )
        if not user.is_active:
            raise links.BadToken(field="token")
        return login_links.let_in(user, reader=reader)
