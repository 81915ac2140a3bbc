"""The statements that give out seats. Two are behind asking: one looks without a lock, one takes what was seen free.

The second is a transaction by itself, so the event row, for which a whole crowd waits, is held while the database works
and never while Python does (docs/decisions/0005-seat-guard.md). It changes nothing where what the first saw holds no
more: then the caller looks again. Locks are taken in the order user, event, registration, outbox.

The third brings in those who wait, a thousand with each run, under a lock that the caller holds.
"""

from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection, transaction

from jointoit.accounts.models import User
from jointoit.api import database
from jointoit.api.lists.prepared import instance, run
from jointoit.errors import NotFound
from jointoit.events.models import Event, Registration
from jointoit.mail import outbox

#: What asking needs to know; every date less is read by Python in less time.
UNASKED = ("description", "title_folded", "location_folded", "tags", "created_at", "updated_at", "reminded_at")
EVENT = [f.attname for f in Event._meta.concrete_fields if f.name not in UNASKED]
USER = ("id", "username", "email", "first_name", "last_name", "timezone", "is_active", "token_epoch")
#: What a registration is before it is decided where it stands.
ASKED = ("id", "queue_number", "revision")
#: What a mail says of a registration and its person; thousands of them are read with the event held.
TOLD = ("id", "attendee_id", "status", "revision")
ADDRESSED = ("id", "username", "email", "first_name", "last_name", "timezone")  # who has no name goes by the username
ONE_LIVE = "registration_one_live_per_person"
CHUNK = 1_000  # people who are brought in, and told, with one statement

LOOK = f"""
    SELECT {", ".join(f"attendee.{name}" for name in USER)}, {", ".join(f"event.{name}" for name in EVENT)},
           {", ".join(f"organizer.{name}" for name in USER)},
           live.id, nextval(pg_get_serial_sequence('events_registration', 'id'))
    FROM accounts_user AS attendee
    LEFT JOIN events_event AS event ON event.id = %(event)s
    LEFT JOIN accounts_user AS organizer ON organizer.id = event.organizer_id
    LEFT JOIN events_registration AS live
           ON live.event_id = event.id AND live.attendee_id = attendee.id AND live.status <> 'cancelled'
    WHERE attendee.id = %(attendee)s AND attendee.token_epoch = %(epoch)s AND attendee.is_active
"""  # noqa: S608  column names of our own models
#: An account that is being closed holds its row until it has given back its seats; whoever shares it here comes before
#: that or finds the account closed. Every rule but the free seat was looked at on this revision of the event.
TAKE = f"""
    WITH attendee AS MATERIALIZED (
        SELECT id FROM accounts_user
        WHERE id = %(attendee)s AND token_epoch = %(epoch)s AND is_active FOR SHARE
    ), event AS (
        UPDATE events_event AS held
        SET seats_taken = seats_taken + (%(status)s::text = 'confirmed')::int,
            waiting = waiting + (%(status)s::text = 'waitlisted')::int,
            queue_tail = queue_tail + (%(status)s::text = 'waitlisted')::int
        FROM attendee
        WHERE held.id = %(event)s AND held.revision = %(revision)s
          AND CASE %(status)s::text WHEN 'confirmed' THEN capacity IS NULL OR seats_taken < capacity
                                    WHEN 'waitlisted' THEN seats_taken >= capacity ELSE true END
        RETURNING held.id, seats_taken, waiting, queue_tail
    ), registration AS (
        INSERT INTO events_registration
            (id, event_id, attendee_id, status, queue_number, revision, registered_at, updated_at)
        SELECT %(registration)s, id, %(attendee)s, %(status)s::text,
               CASE %(status)s::text WHEN 'waitlisted' THEN queue_tail END, 0, %(now)s, %(now)s
        FROM event
    ), promised AS (
        SELECT CASE %(status)s::text WHEN 'waitlisted'
                    THEN jsonb_set(%(rows)s::jsonb, '{{0,facts,position}}', to_jsonb(waiting)) ELSE %(rows)s::jsonb
               END AS rows
        FROM event
    ), mail AS ({outbox.INSERT_PROMISED})
    SELECT seats_taken, waiting, queue_tail FROM event
"""  # noqa: S608  a statement of our own
#: `after` lets each run begin behind the entries that the one before it left in the index.
PROMOTE = f"""
    WITH first AS MATERIALIZED (
        SELECT id, queue_number FROM events_registration
        WHERE event_id = %(event)s AND status = 'waitlisted' AND queue_number > %(after)s
        ORDER BY queue_number LIMIT %(seats)s
    ), promoted AS (
        UPDATE events_registration AS waiting
        SET status = 'confirmed', queue_number = NULL, updated_at = %(now)s, revision = revision + 1
        FROM first WHERE waiting.id = first.id
        RETURNING waiting.*, first.queue_number AS place
    )
    SELECT {", ".join(f"promoted.{name}" for name in TOLD)},
           {", ".join(f"attendee.{name}" for name in ADDRESSED)}, place
    FROM promoted JOIN accounts_user AS attendee ON attendee.id = promoted.attendee_id
    ORDER BY place
"""  # noqa: S608  column names of our own models


def look(*, event_id: int, attendee: User) -> tuple[Registration, int | None] | None:
    """What would be the registration, with event and attendee as they are now, and the id of a live one there is.

    None where the account is closed, or its token_epoch has moved on. Raises NotFound where there is no such event.
    """
    found = run(LOOK, {"event": event_id, "attendee": attendee.pk, "epoch": attendee.token_epoch})
    if not found:
        return None
    ours, (live, pk) = found[0][:-2], found[0][-2:]
    person, event, organizer = ours[: len(USER)], ours[len(USER) : -len(USER)], ours[-len(USER) :]
    if event[0] is None:
        raise NotFound
    held_by = instance(Event, EVENT, event, organizer=instance(User, USER, organizer))
    asking = instance(User, USER, person)
    return instance(Registration, ASKED, (pk, None, 0), event=held_by, attendee=asking), live


def take(registration: Registration, promise: dict[str, Any]) -> bool:
    """Write the registration, its seat or place in the queue, and the promise of its mail: all, or nothing and False.

    `promise` is what `outbox.parameters` says. Within a transaction the event stays held until its end.
    """
    event = registration.event
    facts = {
        "registration": registration.pk, "event": event.pk, "revision": event.revision, "status": registration.status,
        "attendee": registration.attendee_id, "epoch": registration.attendee.token_epoch,
        "now": registration.registered_at,
    }  # fmt: skip
    found = execute(facts | promise)
    if not found:
        return False
    [(event.seats_taken, event.waiting, event.queue_tail)] = found
    if registration.status == Registration.Status.WAITLISTED:
        registration.queue_number, registration.position = event.queue_tail, event.waiting
    return True


def execute(parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Nothing as well where the same person's other request was faster."""
    try:
        with transaction.atomic() if connection.in_atomic_block else nullcontext():
            return run(TAKE, parameters)
    except IntegrityError as error:
        constraint = database.violated(error)
        if constraint is None or constraint.name != ONE_LIVE:
            raise
        return []


def promote(event: Event, seats: int, *, now: datetime) -> Iterator[list[Registration]]:
    """Confirm the first `seats` of the queue of an event that the caller holds; yield them in its order, in chunks."""
    after = 0
    while seats > 0:
        values: dict[str, Any] = {"event": event.pk, "after": after, "seats": min(seats, CHUNK), "now": now}
        with connection.cursor() as cursor:
            cursor.execute(PROMOTE, values)
            rows = cursor.fetchall()
        if not rows:
            return
        yield [promoted(event, row) for row in rows]
        seats, after = seats - len(rows), rows[-1][-1]


def promoted(event: Event, row: tuple[Any, ...]) -> Registration:
    attendee = instance(User, ADDRESSED, row[len(TOLD) : -1])
    return instance(Registration, TOLD, row[: len(TOLD)], event=event, attendee=attendee)


def live_attendees(event: Event) -> Iterable[Registration]:
    """Everybody to be told of news about the event, with what the mail says of them, a chunk in memory at a time."""
    columns = [*TOLD, "event_id", *(f"attendee__{name}" for name in ADDRESSED)]
    live = event.registrations.live().select_related("attendee").only(*columns).order_by("pk")
    for registration in live.iterator(chunk_size=CHUNK):
        registration.event = event
        yield registration
