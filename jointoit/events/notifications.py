"""Turns what happened to a seat into the promise of a mail; called inside the transaction of the fact."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from jointoit.accounts.models import User
from jointoit.accounts.notifications import person
from jointoit.events.models import Event, Invitation, Registration
from jointoit.mail import outbox
from jointoit.mail.messages import (
    EventHandedOver,
    EventPayload,
    HandoverAccepted,
    HandoverInvitation,
    Message,
    Person,
    SeatMessage,
    TeamInvitation,
)


def notify(kind: type[SeatMessage], registration: Registration, **facts: Any) -> None:
    """Promise one mail to the attendee of a registration whose event is at hand."""
    outbox.enqueue(message(kind, registration, event_payload(registration.event), **facts), key=key(kind, registration))


def promise(kind: type[SeatMessage], registration: Registration, **facts: Any) -> outbox.Promise:
    """The same promise, for the statement that writes the registration itself."""
    promised = message(kind, registration, event_payload(registration.event), **facts)
    return outbox.promise(promised, key=key(kind, registration))


def notify_of_end(kind: type[SeatMessage], registration: Registration, *, held_seat: bool) -> None:
    """Promise the mail about a cancellation; what was promised before and is still unsent is of no use any more."""
    outbox.enqueue(
        message(kind, registration, event_payload(registration.event), holds_seat=held_seat),
        key=key(kind, registration),
        supersedes=about(registration.pk),
    )


def notify_all(
    kind: type[SeatMessage],
    registrations: Iterable[Registration],
    *,
    event: Event,
    expires_at: datetime | None = None,
    **facts: Any,
) -> None:
    """Promise one mail to each attendee of `event`; the registrations are consumed one at a time."""
    of_event = event_payload(event)
    pairs = (
        (message(kind, registration, of_event, **facts), key(kind, registration)) for registration in registrations
    )
    outbox.enqueue_many(pairs, expires_at=expires_at)


def notify_invitation(invitation: Invitation, *, inviter: User) -> None:
    """Promise the mail with an invitation, to whoever reads the address."""
    shared: dict[str, Any] = {
        "to": Person(
            address=invitation.email, name="", timezone=invitation.event.timezone if invitation.event else "UTC"
        ),
        "invitation_id": invitation.pk,
        "inviter": inviter.get_full_name(),
        "event": event_payload(invitation.event) if invitation.event else None,
        "expires_at": invitation.expires_at,
    }
    offer: Message = (
        HandoverInvitation(**shared)
        if invitation.role == Invitation.Role.OWNER
        else TeamInvitation(**shared, role=invitation.role)
    )
    outbox.enqueue(offer, key=f"invitation:{invitation.pk}:{offer.kind}", expires_at=invitation.expires_at)


def notify_handover(event: Event, old: User | None, new: User) -> None:
    """Promise the mails about an event that somebody else owns now; the old owner hears of it, unless gone."""
    of_event, about_event = event_payload(event), f"event:{event.pk}:{event.revision}"
    told = EventHandedOver(to=person(new), event=of_event, old_owner=old.get_full_name() if old else None)
    outbox.enqueue(told, key=f"{about_event}:{told.kind}")
    if old:
        accepted = HandoverAccepted(to=person(old), event=of_event, new_owner=new.get_full_name())
        outbox.enqueue(accepted, key=f"{about_event}:{accepted.kind}")


def key(kind: type[SeatMessage], registration: Registration) -> str:
    """One mail per fact: a fact is a registration at one revision of it and of its event."""
    return f"{about(registration.pk)}{registration.revision}.{registration.event.revision}:{kind.kind}"


def about(registration_id: int) -> str:
    """How the keys of all mails about one registration begin."""
    return f"registration:{registration_id}:"


def message(kind: type[SeatMessage], registration: Registration, event: EventPayload, **facts: Any) -> SeatMessage:
    attendee = registration.attendee
    return kind(
        to=person(attendee),
        registration_id=registration.pk,
        registration_url=registration.get_absolute_url(),
        sequence=registration.revision + registration.event.revision,
        event=event,
        **{"holds_seat": registration.status == Registration.Status.CONFIRMED, **facts},
    )


def event_payload(event: Event) -> EventPayload:
    return EventPayload(
        id=event.pk,
        title=event.title,
        date=event.date,
        ends_at=event.ends_at,
        timezone=event.timezone,
        location=event.location,
        url=event.get_absolute_url(),
        organizer_name=event.organizer.get_full_name(),
        organizer_address=event.organizer.email,
        revision=event.revision,
    )
