"""Handing a seat to a friend: offered to an address, accepted by whoever has it, in one transaction.

The seat never becomes free meanwhile: nobody who waits is passed over by it, and the counters stay as they are. Locks
are taken in the order account, event, transfer, registration.
"""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.dispatch import receiver

from jointoit.accounts.callers import Caller
from jointoit.accounts.models import User
from jointoit.accounts.notifications import person_at
from jointoit.accounts.signals import account_is_closing
from jointoit.checkin import tickets
from jointoit.errors import Conflict, NotFound
from jointoit.events import booking, notifications, roles, team
from jointoit.events.models import Registration
from jointoit.events.refusals import AlreadyRegistered
from jointoit.journal import writer as journal
from jointoit.mail import links, outbox
from jointoit.mail.messages import SeatHandedOver, SeatReceived, TransferOffer
from jointoit.organizing.models import Transfer

Status = Registration.Status


class TransferOpen(Conflict):
    code = "transfer_open"
    message = "The seat is offered to somebody already."
    remedy = "Withdraw the one that is open first, by `DELETE /registrations/{id}/transfer/`."


class TransfersClosed(Conflict):
    """The organizer allows it for each event; once the event has begun seats stay where they are."""

    code = "transfers_closed"
    message = "Seats of this event cannot be handed to somebody else, or not any more."
    remedy = "Cancel the registration if you cannot come, or ask the organizer."


class NoTicket(Conflict):
    """Only a confirmed registration can be handed on."""

    code = "no_ticket"
    message = "This registration has no seat to hand on."
    remedy = "Read the registration: it says what it waits for. A ticket is there once it is `confirmed`."


class ToYourself(Conflict):
    code = "transfer_to_yourself"
    message = "The seat is yours already."
    remedy = "Name the address of the person who shall have the seat."


def offer(*, caller: Caller, registration_id: int, email: str, now: datetime) -> Transfer:
    """Offer one's own seat to an address.

    Raises NotFound, TransfersClosed, NoTicket, AlreadyAdmitted, ToYourself, TransferOpen.
    """
    with transaction.atomic():
        registration = own(registration_id, caller)
        refuse(registration, now=now)
        tickets.refuse_admitted(registration)
        if team.is_address_of(registration.attendee, email):
            raise ToYourself
        if opened(registration).exists():
            raise TransferOpen
        transfer = Transfer.objects.create(registration=registration, email=email, created_at=now)
        outbox.enqueue(
            TransferOffer(
                to=person_at(email, timezone=registration.event.timezone),
                transfer_id=transfer.pk,
                giver=registration.attendee.get_full_name(),
                event=notifications.event_payload(registration.event),
            ),
            key=f"transfer:{transfer.pk}:offer",
            expires_at=registration.event.date,
        )
        outbox.forget_about(f"transfer:{transfer.pk}:")  # it names the giver; nobody needs it once it has gone out
    return transfer


def withdraw(*, caller: Caller, registration_id: int, now: datetime) -> None:
    """Raises NotFound where nothing is offered."""
    with transaction.atomic():
        registration = own(registration_id, caller)
        if not opened(registration).update(settled_at=now):
            raise NotFound


def accept(*, user: User, transfer_id: int, now: datetime) -> Registration:
    """Take the seat; the account is held, so that none that closes meanwhile is left with it.

    Raises BadToken, DeadToken, OtherAddress, TransfersClosed, NoTicket, AlreadyAdmitted, AlreadyRegistered.
    """
    with transaction.atomic():
        seen = Transfer.objects.filter(pk=transfer_id).select_related("registration").first()
        if seen is None:
            raise links.BadToken(field="token")
        team.lock_people(user.pk)
        event = booking.lock(seen.registration.event_id)
        transfer = hold(transfer_id, user)
        given = Registration.objects.select_related("attendee").get(pk=seen.registration_id)
        given.event = event
        refuse(given, now=now)
        tickets.refuse_admitted(given)
        live = Registration.objects.live().filter(event=event, attendee=user).first()
        if live:
            raise AlreadyRegistered(registration=live.get_absolute_url())
        settle(transfer, now=now)
        received = move(given, user, now=now)
        notifications.notify_of_end(SeatHandedOver, given, held_seat=True)
        notifications.notify(SeatReceived, received, giver=given.attendee.get_full_name())
        outbox.forget_about(notifications.key(SeatReceived, received))  # likewise
    return received


def decline(*, user: User, transfer_id: int, now: datetime) -> None:
    """Raises BadToken, OtherAddress."""
    with transaction.atomic():
        settle(hold(transfer_id, user), now=now)


# ── Steps ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def own(registration_id: int, caller: Caller) -> Registration:
    """One's own registration, with its event held. Raises NotFound."""
    registration, _ = booking.lock_registration(registration_id, caller)
    if not roles.is_own(registration, caller):
        raise NotFound
    return registration


def refuse(registration: Registration, *, now: datetime) -> None:
    event = registration.event
    if not (event.allow_transfers and event.is_live) or event.has_started(now):
        raise TransfersClosed
    if registration.status != Status.CONFIRMED:
        raise NoTicket


def move(given: Registration, user: User, *, now: datetime) -> Registration:
    """The same seat under another name; the answers were the giver's own and stay with them."""
    event = given.event
    given.status = Status.CANCELLED
    actor = roles.attendee(user)
    booking.save_step(given, "registration.transferred", before=Status.CONFIRMED, actor=actor, now=now)
    received = Registration.objects.create(
        event=event, attendee=user, status=Status.CONFIRMED, registered_at=now, updated_at=now, has_event_uid=True
    )
    journal.record([
        journal.fact(
            "registration.received", actor=actor, at=now, event_id=event.pk, registration_id=received.pk,
            after={"status": Status.CONFIRMED, "from": given.pk},
        )
    ])  # fmt: skip
    return received


def hold(pk: int, user: User) -> Transfer:
    """The open offer, held, for whoever has its address. Raises BadToken, OtherAddress."""
    transfer = Transfer.objects.select_for_update().filter(pk=pk, settled_at=None).first()
    if transfer is None:
        raise links.BadToken(field="token")
    fresh = User.objects.get(pk=user.pk)
    if not (fresh.email_verified and team.is_address_of(fresh, transfer.email)):
        raise team.OtherAddress
    return transfer


def settle(transfer: Transfer, *, now: datetime) -> None:
    transfer.settled_at = now
    transfer.save(update_fields=["settled_at"])


def opened(registration: Registration) -> QuerySet[Transfer]:
    return Transfer.objects.filter(registration=registration, settled_at=None)


@receiver(account_is_closing)
def forget(*, user: User, **_: Any) -> None:
    """Take back the offers of somebody whose account goes away, and forget those to them."""
    mine = Q(registration__attendee=user) | Q(email__iexact=user.email)
    for address in user.former_addresses.values_list("address", flat=True):
        mine |= Q(email__iexact=address)
    offers = Transfer.objects.filter(mine)
    outbox.forget_about(*(f"transfer:{pk}:" for pk in offers.values_list("pk", flat=True)), withdraw=True)
    offers.delete()
