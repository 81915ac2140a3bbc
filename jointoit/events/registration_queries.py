"""Registrations as clients read them: one statement for each list and each detail, whoever asks.

The caller is the attendee, or manages the event and sees names and addresses too.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from jointoit.accounts.callers import Caller
from jointoit.api.lists.pagination import Key, Listing, ListQuery
from jointoit.api.lists.prepared import PreparedQuery, Row
from jointoit.events.attendees import as_csv, attendee_columns, attendee_rows
from jointoit.events.event_queries import existing
from jointoit.events.models import OVER_AT, Event
from jointoit.events.roles import MANAGES, REACHES

TABLES: Final = (
    "events_registration AS registration JOIN events_event AS event ON event.id = registration.event_id "
    "JOIN accounts_user AS attendee ON attendee.id = registration.attendee_id"
)
#: A deleted event, which only its attendees still meet here, shows as cancelled, unless it had taken place before.
COLUMNS: Final = f"""
    registration.id, registration.status, registration.answers, registration.registered_at, registration.updated_at,
    event.id AS event_id, event.title AS event_title, event.date AS event_date, event.location AS event_location,
    CASE WHEN event.deleted_at < {OVER_AT} THEN 'cancelled' ELSE event.status END AS event_status,
    attendee.id AS attendee_id, attendee.username AS attendee_username
"""
#: Whoever has cancelled is written to no more.
EMAIL: Final = "CASE WHEN registration.status <> 'cancelled' THEN attendee.email END"
#: Names and address are for whoever manages the event.
PRIVATE: Final = f"""
    json_build_object('email', {EMAIL}, 'first_name', attendee.first_name, 'last_name', attendee.last_name)
"""
OWN_COLUMNS: Final = f"{COLUMNS}, CASE WHEN event.organizer_id = %(reader)s THEN {PRIVATE} END AS attendee_private"
MANAGED_COLUMNS: Final = f"{COLUMNS}, {PRIVATE} AS attendee_private"
#: One look at the queue for each row: for a few of them.
POSITION: Final = """
    CASE registration.status WHEN 'waitlisted' THEN (
        SELECT count(*) FROM events_registration AS ahead
        WHERE ahead.event_id = registration.event_id AND ahead.status = 'waitlisted'
          AND ahead.queue_number <= registration.queue_number
    ) END AS position
"""
#: The inner query does not depend on the row, so PostgreSQL runs it once, over the whole queue, however many rows are
#: read; a place is then looked up in what it made.
POSITION_IN_EVENT: Final = """
    CASE registration.status WHEN 'waitlisted' THEN ((
        SELECT jsonb_object_agg(id, place)
        FROM (SELECT id, row_number() OVER (ORDER BY queue_number) AS place
              FROM events_registration WHERE event_id = %(event)s AND status = 'waitlisted') AS queue
    ) -> registration.id::text)::integer END AS position
"""
ALL: Final = f"{OWN_COLUMNS}, {POSITION}"
DETAIL: Final = PreparedQuery(
    f"SELECT {COLUMNS}, CASE WHEN {MANAGES} THEN {PRIVATE} END AS attendee_private, {POSITION} FROM {TABLES} "
    f"WHERE registration.id = %(registration)s AND (registration.attendee_id = %(reader)s AND {REACHES} OR {MANAGES})"
)


def visible_detail(registration_id: int, *, caller: Caller) -> Row:
    """One registration. Raises NotFound for everybody but its attendee and who manages the event."""
    return existing(DETAIL.row({"registration": registration_id, **caller.values}))


# ── Lists ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

NEWEST_FIRST: Final = (Key("id", "registration.id", "bigint", descending=True),)
AS_ASKED: Final = (Key("id", "registration.id", "bigint"),)
CONDITIONS: Final[Mapping[str, str]] = {
    "status": "registration.status = %(status)s",
    "event": "registration.event_id = %(event)s",
}
MOST_WORDS: Final = 8  # each is looked for in every name
#: By parameter and value.
TIMES: Final = {
    ("upcoming", True): f"{OVER_AT} > %(now)s",
    ("upcoming", False): f"{OVER_AT} <= %(now)s",
    ("ongoing", True): f"event.date <= %(now)s AND {OVER_AT} > %(now)s",
    ("ongoing", False): f"(event.date > %(now)s OR {OVER_AT} <= %(now)s)",
}
NAMES: Final = f"events_plain_text(concat_ws(' ', attendee.username, attendee.first_name, attendee.last_name, {EMAIL}))"


def own_list(asked: Mapping[str, Any], *, caller: Caller, now: datetime) -> Listing:
    """The caller's own registrations, of those that the parameters (`RegistrationParameters`) leave."""
    query = own_query(
        frozenset(asked.keys() & CONDITIONS.keys()), frozenset(asked.items() & TIMES.keys()), caller.is_for_some_events
    )
    return Listing(query, {**asked, **caller.values, "now": now})


@lru_cache(maxsize=100)
def own_query(given: frozenset[str], times: frozenset[tuple[str, bool]], limited: bool) -> ListQuery:
    conditions = ["registration.attendee_id = %(reader)s", *(CONDITIONS[name] for name in given)]
    conditions += [TIMES[time] for time in times]
    if limited:
        conditions.append(REACHES)
    return ListQuery(ALL, TABLES, tuple(conditions), NEWEST_FIRST)


def attendee_list(asked: Mapping[str, Any], *, event: int) -> Listing:
    """Who comes, in the order of asking, of those that the parameters (`AttendeeParameters`) leave; for a manager."""
    distinct = list(dict.fromkeys(asked.get("search", "").split()))[:MOST_WORDS]
    words = {f"word_{number}": word for number, word in enumerate(distinct)}
    query = attendee_query(frozenset(asked.keys() & CONDITIONS.keys()), tuple(words))
    return Listing(query, {**asked, **words, "event": event})


@lru_cache(maxsize=100)
def attendee_query(given: frozenset[str], words: tuple[str, ...]) -> ListQuery:
    conditions = ["registration.event_id = %(event)s", *(CONDITIONS[name] for name in given)]
    conditions += [f"strpos({NAMES}, events_plain_text(%({name})s)) > 0" for name in words]
    columns = f"{MANAGED_COLUMNS}, {POSITION_IN_EVENT}"
    # Some events have five guests and some a million: each is planned for itself.
    return ListQuery(columns, TABLES, tuple(conditions), AS_ASKED, prepare=False)


FILE_COLUMNS: Final = f"""
    registration.id, attendee.username, attendee.first_name, attendee.last_name,
    {EMAIL} AS email, registration.status,
    registration.answers,
    {POSITION_IN_EVENT}, registration.registered_at, registration.updated_at
"""


def attendee_lines(listing: Listing, event: Event) -> Iterator[str]:
    """The file of an attendee list, line by line, with the answers to the event's questions."""
    questions = list(event.questions.all())
    rows = attendee_rows(attendee_file(listing).stream(listing.values), zone=event.timezone, questions=questions)
    return as_csv(rows, attendee_columns(questions))


def attendee_file(listing: Listing) -> PreparedQuery:
    """All rows of an attendee list, with the columns of its file."""
    conditions = " AND ".join(listing.query.conditions)
    return PreparedQuery(
        f"SELECT {FILE_COLUMNS} FROM {TABLES} WHERE {conditions} ORDER BY registration.id", prepare=False
    )
