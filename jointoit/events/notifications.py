"""Turns what happened to a seat into the promise of a mail; called inside the transaction of the fact."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from jointoit.accounts.models import User
from jointoit.accounts.notifications import person, person_at
from jointoit.events.models import Event, Invitation, Registration
from jointoit.mail import outbox
from jointoit.mail.messages import (
    ApprovalsWaiting,
    EventHandedOver,
    EventPayload,
    HandoverAccepted,
    HandoverInvitation,
    Message,
    RegistrationPending,
    SeatMessage,
    TeamInvitation,
    TicketMessage,
)

#: So long the organizer is not told of somebody who asks, so that one mail tells of all who ask meanwhile.
GATHER = timedelta(minutes=5)
#: Where the organizer hears of each request at once.
ASKS_AT_ONCE = (Event.News.REQUESTS, Event.News.EACH)
EXCERPT = 1_000  # characters of a description in a mail


def notify(kind: type[SeatMessage], registration: Registration, **facts: Any) -> None:
    """Promise one mail to the attendee of a registration whose event is at hand."""
    outbox.enqueue(message(kind, registration, event_payload(registration.event), **facts), key=key(kind, registration))


def promise(kind: type[SeatMessage], registration: Registration, **facts: Any) -> outbox.Promise:
    """The same promise, for the statement that writes the registration itself."""
    of_event = event_payload(registration.event)
    told = (message(kind, registration, of_event, **facts), key(kind, registration), None)
    if kind is not RegistrationPending or registration.event.organizer_news not in ASKS_AT_ONCE:
        return outbox.promise(told)
    asked = ApprovalsWaiting(to=person(registration.event.organizer), event=of_event)
    return outbox.promise(told, (asked, request_key(registration), registration.registered_at + GATHER))


def withdraw_request(registration: Registration) -> None:
    """Ask the organizer no more, if that was not done yet."""
    outbox.supersede(request_key(registration))


def withdraw_requests(event: Event) -> None:
    """The same for everybody who asks."""
    outbox.supersede(f"event:{event.pk}:request:")


def request_key(registration: Registration) -> str:
    return f"event:{registration.event_id}:request:{registration.pk}:"


def notify_of_end(kind: type[SeatMessage], registration: Registration, *, held_seat: bool, **told: Any) -> None:
    """Promise the mail about a cancellation; what was promised before and is still unsent is of no use any more."""
    outbox.enqueue(
        message(kind, registration, event_payload(registration.event), holds_seat=held_seat, **told),
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
        "to": person_at(invitation.email, timezone=invitation.event.timezone if invitation.event else "UTC"),
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
    about_offer = f"invitation:{invitation.pk}:"
    outbox.enqueue(offer, key=f"{about_offer}{offer.kind}", expires_at=invitation.expires_at)
    outbox.forget_about(about_offer)  # it names others; nobody needs it once it has gone out


def notify_handover(event: Event, old: User | None, new: User) -> None:
    """Promise the mails about an event that somebody else owns now; the old owner hears of it, unless gone."""
    of_event, about_event = event_payload(event), f"event:{event.pk}:{event.revision}"
    told = EventHandedOver(to=person(new), event=of_event, old_owner=old.get_full_name() if old else None)
    outbox.enqueue(told, key=f"{about_event}:{told.kind}")
    if old:
        accepted = HandoverAccepted(to=person(old), event=of_event, new_owner=new.get_full_name())
        outbox.enqueue(accepted, key=f"{about_event}:{accepted.kind}")
    outbox.forget_about(f"{about_event}:")
    name_organizer(event, new.get_full_name(), new.email)


def name_organizer(event: Event, name: str, address: str) -> None:
    """Have the mails about the seats of an event name somebody else, so that a former owner is not kept in them."""
    registrations = event.registrations.values_list("pk", flat=True).order_by("pk").iterator()
    outbox.rename_organizer((about(pk).rstrip(":") for pk in registrations), name=name, address=address)


def forget_organizer(user: User) -> None:
    """Erase somebody whose account goes away from the mails to the guests of their events."""
    for event in Event.objects.filter(organizer=user):
        name_organizer(event, "A closed account", "")


def withdraw_invitations(invitation_ids: Iterable[int]) -> None:
    outbox.forget_about(*(f"invitation:{pk}:" for pk in invitation_ids), withdraw=True)


def key(kind: type[SeatMessage], registration: Registration) -> str:
    """One mail per fact: a fact is a registration at one revision of it and of its event."""
    return f"{about(registration.pk)}{registration.revision}.{registration.event.revision}:{kind.kind}"


def about(registration_id: int) -> str:
    """How the keys of all mails about one registration begin."""
    return f"registration:{registration_id}:"


def message(kind: type[SeatMessage], registration: Registration, event: EventPayload, **facts: Any) -> SeatMessage:
    attendee = registration.attendee
    if issubclass(kind, TicketMessage):
        facts["ticket_issue"] = registration.ticket_issue
    return kind(
        to=person(attendee),
        registration_id=registration.pk,
        registration_url=registration.get_absolute_url(),
        sequence=registration.event.revision + (0 if registration.has_event_uid else registration.revision),
        has_event_uid=registration.has_event_uid,
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
        contact=event.contact,
        revision=event.revision,
        description=shortened(event.description),
    )


def shortened(description: str) -> str:
    """The beginning of a description, which may be long and goes into thousands of mails."""
    return description if len(description) <= EXCERPT else f"{description[: EXCERPT - 1].rstrip()}…"
