"""The statements that give out seats. Two are behind asking: one looks without a lock, one takes what was seen free.

The second is a transaction by itself, so the event row, for which a whole crowd waits, is held while the database works
and never while Python does (docs/decisions/0005-seat-guard.md). It changes nothing where what the first saw holds no
more: then the caller looks again. Locks are taken in the order user, event, registration, outbox.

The third brings in those who wait, a thousand with each run, under a lock that the caller holds.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from datetime import datetime
from typing import Any, Final, TypedDict

from django.db import IntegrityError, connection, transaction

from jointoit.accounts.models import User
from jointoit.api import database
from jointoit.api.lists.prepared import PreparedQuery, Row, columns_of, instance_of
from jointoit.errors import NotFound
from jointoit.events.models import Event, Registration
from jointoit.journal import writer as journal
from jointoit.mail import outbox

#: What asking needs to know; every date less is read by Python in less time.
UNASKED: Final = (
    "title_folded", "location_folded", "tags", "created_at", "updated_at", "reminded_at", "checkin_opens_at",
    "checkin_closes_at", "erased_at", "hidden_status",
)  # fmt: skip
EVENT: Final = [field.attname for field in Event._meta.concrete_fields if field.attname not in UNASKED]
WHOLE: Final = [name for name in EVENT if name != "description"]  # of which a mail says the beginning
USER: Final = [
    "id", "username", "email", "email_verified", "first_name", "last_name", "timezone", "is_active", "token_epoch",
]  # fmt: skip
#: What a mail says of a registration and its person; thousands of them are read with the event held.
REGISTRATION: Final = ["id", "attendee_id", "status", "revision", "has_event_uid", "ticket_issue"]
#: Without a name: the username.
ADDRESSED: Final = ["id", "username", "email", "email_verified", "first_name", "last_name", "timezone"]
ONE_LIVE: Final = "registration_one_live_per_person"
EXCERPT: Final = 1_001  # characters of a description: one more than a mail shows
CHUNK: Final = 1_000  # people who are brought in, and told, with one statement

CANDIDATE: Final = PreparedQuery(f"""
    SELECT {columns_of(User, "attendee", USER, prefix="attendee__")},
           {columns_of(Event, "event", WHOLE, prefix="event__")},
           left(event.description, {EXCERPT}) AS event__description,
           {columns_of(User, "organizer", USER, prefix="organizer__")},
           live.id AS live, nextval(pg_get_serial_sequence('events_registration', 'id')) AS registration
    FROM accounts_user AS attendee
    LEFT JOIN events_event AS event ON event.id = %(event)s
    LEFT JOIN accounts_user AS organizer ON organizer.id = event.organizer_id
    LEFT JOIN events_registration AS live
           ON live.event_id = event.id AND live.attendee_id = attendee.id AND live.status <> 'cancelled'
    WHERE attendee.id = %(attendee)s AND attendee.token_epoch = %(epoch)s AND attendee.is_active
""")
#: An account that is being closed holds its row until it has given back its seats; whoever shares it here comes before
#: that or finds the account closed. Every rule but the free seat was looked at on this revision of the event.
CLAIM_SEAT: Final = PreparedQuery(f"""
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
            (id, event_id, attendee_id, status, queue_number, revision, registered_at, updated_at, has_event_uid,
             answers)
        SELECT %(registration)s, id, %(attendee)s, %(status)s::text,
               CASE %(status)s::text WHEN 'waitlisted' THEN queue_tail END, 0, %(now)s, %(now)s,
               %(status)s::text = 'confirmed', %(answers)s::jsonb
        FROM event
    ), promised AS (
        SELECT %(rows)s::jsonb AS rows, CASE %(status)s::text WHEN 'waitlisted' THEN waiting END AS position FROM event
    ), mail AS ({outbox.INSERT_PROMISED}
    ), fact AS ({journal.INSERT}
        SELECT 'registration.' || %(status)s::text, %(now)s, %(actor_kind)s, %(actor_id)s::bigint, id, %(registration)s,
               NULL, jsonb_build_object('status', %(status)s::text), %(request_id)s::uuid
        FROM event
    )
    SELECT seats_taken, waiting, queue_tail FROM event
""")
#: `after` lets each run begin behind the entries that the one before it left in the index.
PROMOTE: Final = PreparedQuery(
    f"""
    WITH first AS MATERIALIZED (
        SELECT id, queue_number FROM events_registration
        WHERE event_id = %(event)s AND status = 'waitlisted' AND queue_number > %(after)s
        ORDER BY queue_number LIMIT %(seats)s
    ), promoted AS (
        UPDATE events_registration AS waiting
        SET status = 'confirmed', queue_number = NULL, updated_at = %(now)s, revision = revision + 1,
            has_event_uid = true
        FROM first WHERE waiting.id = first.id
        RETURNING waiting.*, first.queue_number AS place
    ), fact AS ({journal.INSERT}
        SELECT 'registration.promoted', %(now)s, %(actor_kind)s, %(actor_id)s::bigint, event_id, id,
               '{{"status": "waitlisted"}}', '{{"status": "confirmed"}}', %(request_id)s::uuid
        FROM promoted ORDER BY place
    )
    SELECT {columns_of(Registration, "promoted", REGISTRATION, prefix="registration__")},
           {columns_of(User, "attendee", ADDRESSED, prefix="attendee__")}, place
    FROM promoted JOIN accounts_user AS attendee ON attendee.id = promoted.attendee_id
    ORDER BY place
""",
    prepare=False,  # how many seats there are decides how
)
#: Of an event that will not take place: who had a place has none.
CANCEL_ALL: Final = PreparedQuery(f"""
    WITH live AS MATERIALIZED (
        SELECT id, status FROM events_registration WHERE event_id = %(event)s AND status <> 'cancelled'
    ), fact AS ({journal.INSERT}
        SELECT 'registration.cancelled', %(now)s, %(actor_kind)s, %(actor_id)s::bigint, %(event)s, id,
               jsonb_build_object('status', status), '{{"status": "cancelled"}}', %(request_id)s::uuid
        FROM live ORDER BY id
    ), cancelled AS (
        UPDATE events_registration AS registration
        SET status = 'cancelled', queue_number = NULL, updated_at = %(now)s, revision = revision + 1
        FROM live WHERE registration.id = live.id RETURNING 1
    )
    SELECT count(*) AS number FROM cancelled
""")


def load_candidate(*, event_id: int, attendee: User) -> tuple[Registration, int | None] | None:
    """What would be the registration, with event and attendee as they are now, and the id of a live one there is.

    None where the account is closed, or its token_epoch has moved on. Raises NotFound where there is no such event.
    """
    row = CANDIDATE.row({"event": event_id, "attendee": attendee.pk, "epoch": attendee.token_epoch})
    if row is None:
        return None
    if row["event__id"] is None:
        raise NotFound
    event = instance_of(Event, row, EVENT, prefix="event__")
    event.organizer = instance_of(User, row, USER, prefix="organizer__")
    asking = instance_of(User, row, USER, prefix="attendee__")
    return Registration(pk=row["registration"], event=event, attendee=asking), row["live"]


class SeatClaim(TypedDict):
    """What CLAIM_SEAT asks for besides the promise of a mail."""

    registration: int
    event: int
    revision: int
    status: str
    attendee: int
    epoch: int
    now: datetime
    answers: str


def claim_seat(registration: Registration, promise: outbox.Promise, *, actor: journal.Actor) -> bool:
    """Write the registration, its seat or place in the queue, the promise of its mail and the fact: all, or nothing.

    False where it was nothing.

    Within a transaction the event stays held until its end.
    """
    event = registration.event
    wanted: SeatClaim = {
        "registration": registration.pk, "event": event.pk, "revision": event.revision, "status": registration.status,
        "attendee": registration.attendee_id, "epoch": registration.attendee.token_epoch,
        "now": registration.registered_at,
        "answers": json.dumps(registration.answers) if registration.answers else "{}",
    }  # fmt: skip
    row = execute({**wanted, **promise, **journal.written(actor)})
    if row is None:
        return False
    event.seats_taken, event.waiting, event.queue_tail = row["seats_taken"], row["waiting"], row["queue_tail"]
    if registration.status == Registration.Status.WAITLISTED:
        registration.queue_number, registration.position = event.queue_tail, event.waiting
    return True


def execute(values: Mapping[str, Any]) -> Row | None:
    """Nothing as well where the same person's other request was faster."""
    try:
        with transaction.atomic() if connection.in_atomic_block else nullcontext():
            return CLAIM_SEAT.row(values)
    except IntegrityError as error:
        constraint = database.violated(error)
        if constraint is None or constraint.name != ONE_LIVE:
            raise
        return None


def promote(event: Event, seats: int, *, now: datetime) -> Iterator[list[Registration]]:
    """Confirm the first `seats` of the queue of an event that the caller holds; yield them in its order, in chunks."""
    after = 0
    while seats > 0:
        wanted = {"event": event.pk, "after": after, "seats": min(seats, CHUNK), "now": now}
        rows = PROMOTE.rows(wanted | journal.written(journal.SYSTEM))
        if not rows:
            return
        yield [promoted(event, row) for row in rows]
        seats, after = seats - len(rows), rows[-1]["place"]


def cancel_all(event: Event, *, actor: journal.Actor, now: datetime) -> None:
    """End every live registration of an event that the caller holds."""
    CANCEL_ALL.rows({"event": event.pk, "now": now, **journal.written(actor)})


def promoted(event: Event, row: Row) -> Registration:
    registration = instance_of(Registration, row, REGISTRATION, prefix="registration__")
    registration.event, registration.attendee = event, instance_of(User, row, ADDRESSED, prefix="attendee__")
    return registration


def live_attendees(event: Event) -> Iterable[Registration]:
    """Everybody to be told of news about the event, with what the mail says of them, a chunk in memory at a time."""
    columns = [*REGISTRATION, "event_id", *(f"attendee__{name}" for name in ADDRESSED)]
    live = event.registrations.live().select_related("attendee").only(*columns).order_by("pk")
    for registration in live.iterator(chunk_size=CHUNK):
        registration.event = event
        yield registration
