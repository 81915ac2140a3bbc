"""Events as clients read them: one statement for each list and each detail, whoever asks.

Who asks is a value like the others: `reader` is the id of a user, 0 for nobody.
"""

from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from jointoit.accounts.callers import Caller
from jointoit.api.lists import replica
from jointoit.api.lists.pagination import Key, Listing, ListQuery
from jointoit.api.lists.prepared import PreparedQuery, Row, columns_of, instance_of
from jointoit.errors import NotFound
from jointoit.events import searching
from jointoit.events.models import OVER_AT, Event
from jointoit.events.roles import HELPED, MANAGES
from jointoit.events.serializers import EventSerializer

EVENT: Final = "events_event AS event"
#: The ids of what has begun and is not over, by the index event_running: few, however many there are.
RUNNING: Final = f"""
    (ARRAY(SELECT event.id FROM events_event AS event
           WHERE event.deleted_at IS NULL AND tstzrange(event.date, {OVER_AT}) @> %(now)s::timestamptz))
"""
#: What is not over: no index has both the ends and the order of beginnings.
UPCOMING: Final = ("event.date > %(now)s", f"event.date <= %(now)s AND event.id = ANY {RUNNING}")
#: What a list shows: one's own drafts, but none that one helps with.
VISIBLE: Final = "event.deleted_at IS NULL AND (event.status <> 'draft' OR event.organizer_id = %(reader)s)"


def members(*, counts_pending: str) -> str:
    """The columns of all members. How many are pending is counted where that condition holds, so for few rows."""
    pending = "SELECT count(*) FROM events_registration WHERE event_id = event.id AND status = 'pending'"
    computed = {
        "seats_left": "event.capacity - event.seats_taken",
        "pending": f"CASE WHEN {counts_pending} THEN ({pending}) END",
    }
    fields = EventSerializer().fields.items()
    return ", ".join(
        f'{computed.get(str(field.source), f"event.{field.source}")} AS "{name}"' for name, field in fields
    )


#: In a list the owner's alone: a statement for all readers asks little of each row.
MEMBERS: Final = members(counts_pending="event.organizer_id = %(reader)s")
MEMBERS_OF_ONE: Final = members(counts_pending=MANAGES)
DETAIL: Final = PreparedQuery(f"SELECT {MEMBERS_OF_ONE} FROM {EVENT} WHERE event.id = %(event)s")
#: What `roles.sees` says.
SEEN: Final = f"event.id = %(event)s AND event.deleted_at IS NULL AND (event.status <> 'draft' OR {MANAGES})"
VISIBLE_DETAIL: Final = PreparedQuery(f"SELECT {MEMBERS_OF_ONE} FROM {EVENT} WHERE {SEEN}")
MANAGED: Final = PreparedQuery(f"SELECT id FROM {EVENT} WHERE id = ANY(%(events)s::bigint[]) AND {MANAGES}")
VISIBLE_ROW: Final = PreparedQuery(f"SELECT {columns_of(Event, 'event')} FROM {EVENT} WHERE {SEEN}")


def detail(event_id: int, *, caller: Caller) -> Row:
    """The members of an event as the caller sees them, who may see it."""
    return existing(DETAIL.row({"event": event_id, **caller.values}))


def visible_detail(event_id: int, *, caller: Caller) -> Row:
    """The members of an event. Raises NotFound where the caller may not know of it."""
    values = {"event": event_id, **caller.values}
    return existing(replica.row(VISIBLE_DETAIL, values, may_lag=caller.user is None))


def visible_event(event_id: int, *, caller: Caller) -> Event:
    """The row, to ask who may do what with it. Raises NotFound where the caller may not know of it."""
    return instance_of(Event, existing(VISIBLE_ROW.row({"event": event_id, **caller.values})))


def managed_among(event_ids: Collection[int], *, reader: int) -> set[int]:
    """Those of some events that somebody manages."""
    values = {"events": list(event_ids), "reader": reader, "only": None}
    return {row["id"] for row in MANAGED.rows(values)}


def existing(row: Row | None) -> Row:
    if row is None:
        raise NotFound
    return row


# ── The list ──────────────────────────────────────────────────────────────────────────────────────────────────────────

#: The condition that a parameter adds over a value of its name; for some values one of their own, so that an index is
#: found.
CONDITIONS: Final[Mapping[Any, str]] = {
    "title": "event.title_folded LIKE %(title)s",
    "location": "event.location_folded LIKE %(location)s",
    "organizer": "event.organizer_id = %(organizer)s",
    "date": "event.date >= %(start)s AND event.date < %(end)s",
    "date_from": "event.date >= %(date_from)s",
    "date_to": "event.date < %(date_to)s",
    "status": "event.status = %(status)s",
    ("status", Event.Status.DRAFT): "event.status = 'draft' AND event.organizer_id = %(reader)s",
    "tag": "event.tags @> ARRAY[%(tag)s::varchar]",
    ("has_seats", True): "NOT event.is_full",
    ("has_seats", False): "event.is_full",
    ("upcoming", False): f"event.date <= %(now)s AND {OVER_AT} <= %(now)s",
    ("ongoing", True): f"event.id = ANY {RUNNING}",
    ("ongoing", False): f"(event.date > %(now)s OR {OVER_AT} <= %(now)s)",
}
SPELLED_OUT: Final = {"status", "has_seats", "upcoming", "ongoing", "typos", "ordering", "role"}
ID: Final = Key("id", "event.id", "bigint")
#: Titles are sorted as they are read, whatever the case; the index has so much of each (models.TITLE_ORDER).
TITLE_ORDER: Final = "left(event.title_folded, 255)"
ORDERS: Final[Mapping[str, tuple[Key, ...]]] = {
    "date": (Key("date", "event.date", "timestamptz"), ID),
    "created_at": (Key("created_at", "event.created_at", "timestamptz"), ID),
    "title": (Key("title_order", TITLE_ORDER, "text"), ID),
}
#: One index gives the rows in the order of their dates, whatever the values: with dates, and at most one of the others.
DATES: Final = {"date", "date_from", "date_to", "upcoming", "ongoing", "ordering"}
INDEXED_BY_DATE: Final = {"organizer", "status", "has_seats"}


def event_list(asked: Mapping[str, Any], *, reader: int, now: datetime, may_lag: bool = False) -> Listing:
    """The events that the parameters (`EventParameters`) leave; those found by words come with the best first."""
    words = searching.words_of(asked["search"], typos=asked.get("typos", False)) if "search" in asked else {}
    values = {**asked, **patterns(asked), **words, "reader": reader, "now": now}
    return Listing(query_for(signature(asked), tuple(words)), values, may_lag=may_lag)


def signature(asked: Mapping[str, Any]) -> frozenset[tuple[str, Any]]:
    """What the SQL depends on: which parameters are given, and the value where there are few to choose from."""
    return frozenset((name, value if name in SPELLED_OUT else None) for name, value in asked.items())


@lru_cache(maxsize=1000)
def query_for(asked: frozenset[tuple[str, Any]], words: tuple[str, ...]) -> ListQuery:
    """The statement for all requests with one signature."""
    given, columns = dict(asked), [MEMBERS]
    found = [condition_of(name, value, of_role="role" in given) for name, value in given.items()]
    conditions = [HELPED[given["role"]] if "role" in given else VISIBLE, *filter(None, found)]
    order = ordered(given.get("ordering", "date"))
    if words:
        condition, rank = searching.nearly(words) if given.get("typos") else searching.exactly()
        conditions.append(condition)
        if "ordering" not in given:
            columns.append(f"{rank} AS rank")
            order = (Key("rank", rank, "float8", descending=True), *ORDERS["date"])
    if order[0].name == "title_order":
        columns.append(f"{TITLE_ORDER} AS title_order")
    hidden = ("rank", "title_order")
    prepare = has_one_plan(given.keys(), order)
    parts = UPCOMING if given.get("upcoming") else ("true",)
    return ListQuery(", ".join(columns), EVENT, tuple(conditions), order, hidden, prepare, parts)


def condition_of(name: str, value: Any, *, of_role: bool) -> str | None:
    """Drafts are one's own, unless the list is of events that one has a role with."""
    own = None if of_role and value == Event.Status.DRAFT else CONDITIONS.get((name, value))
    return own or CONDITIONS.get(name)


def patterns(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Values that are not written as they were asked for. The characters of LIKE patterns mean themselves."""
    parts = {name: asked[name] for name in ("title", "location") if name in asked}
    escaped = {name: text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") for name, text in parts.items()}
    return {name: f"%{text}%" for name, text in escaped.items()} | (asked["date"]._asdict() if "date" in asked else {})


def ordered(ordering: str) -> tuple[Key, ...]:
    keys = ORDERS[ordering.removeprefix("-")]
    return tuple(key.reversed() for key in keys) if ordering.startswith("-") else keys


def has_one_plan(given: AbstractSet[str], order: tuple[Key, ...]) -> bool:
    others = given - DATES
    return order[0].name == "date" and len(others) <= 1 and others <= INDEXED_BY_DATE
