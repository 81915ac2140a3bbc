"""The ticket of a registration: for its attendee and who manages the event, as long as there is a seat."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from jointoit.accounts.callers import Caller
from jointoit.checkin.models import STANDS, Scan
from jointoit.errors import Conflict, NotFound
from jointoit.events import booking, roles
from jointoit.events.models import Registration
from jointoit.mail import links
from jointoit.tickets import codes, tokens

Status = Registration.Status


class NoTicket(Conflict):
    """Only a confirmed registration has one."""

    code = "no_ticket"
    message = "There is no ticket without a seat."
    remedy = "Read the registration: it says what it waits for. A ticket is there once it is `confirmed`."


class AlreadyAdmitted(Conflict):
    code = "already_admitted"
    message = "This ticket has let somebody in already."
    remedy = "Undo the scan first, if it was one by mistake."


@dataclass(frozen=True)
class Ticket:
    """What is shown and drawn; computed, never stored."""

    registration: int
    event: int
    code: str
    token: str
    page: str


def ticket_of(*, registration_id: int, caller: Caller) -> Ticket:
    """Raises NotFound for everybody but the attendee and who manages the event, NoTicket."""
    registration = Registration.objects.select_related("event").filter(pk=registration_id).first()
    if registration is None or not (roles.is_own(registration, caller) or roles.manager(caller, registration.event)):
        raise NotFound
    return issued(registration)


def issued(registration: Registration) -> Ticket:
    """The ticket of a registration that is at hand. Raises NoTicket."""
    if registration.status != Status.CONFIRMED:
        raise NoTicket
    issue = registration.ticket_issue
    return Ticket(
        registration=registration.pk,
        event=registration.event_id,
        code=codes.write(registration.pk, issue),
        token=tokens.sign(tokens.Ticket(registration.event_id, registration.pk, issue)),
        page=links.ticket_address(links.mint_ticket(registration.pk, issue)),
    )


def reissue(*, registration_id: int, caller: Caller, now: datetime) -> Ticket:
    """Replace the ticket; the earlier one is void at once, and a mail brings the new one.

    Raises NotFound for everybody but the attendee and who manages the event, NoTicket, AlreadyAdmitted.
    """
    with transaction.atomic():
        registration, manager = booking.lock_registration(registration_id, caller)
        if registration.status != Status.CONFIRMED:
            raise NoTicket
        refuse_admitted(registration)
        is_own = manager is None or roles.is_own(registration, caller)
        actor = roles.attendee(registration.attendee, caller.key) if is_own else manager
        assert actor
        booking.reissue_ticket(registration, actor=actor, now=now)
    return issued(registration)


def refuse_admitted(registration: Registration) -> None:
    """Raise AlreadyAdmitted where the ticket has let somebody in; nobody is let in with it from here on.

    A scan holds the row of the registration, and not the event.
    """
    list(Registration.objects.select_for_update(no_key=True).filter(pk=registration.pk).values_list("pk"))
    if Scan.objects.filter(STANDS, registration=registration).exists():
        raise AlreadyAdmitted
