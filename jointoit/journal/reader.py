"""Facts as clients read them: the history of an event or of a registration, newest first."""

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any, Final

import orjson

from jointoit.api.lists.pagination import Key, Listing, ListQuery
from jointoit.api.lists.prepared import Row
from jointoit.journal.writer import Actor

COLUMNS: Final = (
    "fact.id, fact.type, fact.at, fact.actor_kind, fact.actor_id, fact.event_id, fact.registration_id, "
    "fact.before, fact.after, fact.request_id"
)
#: As the feed, the other way round: one index serves both.
NEWEST_FIRST: Final = (
    Key("transaction", "fact.transaction", "bigint", descending=True),
    Key("id", "fact.id", "bigint", descending=True),
)
CONDITIONS: Final[Mapping[str, str]] = {
    "event": "fact.event_id = %(event)s",
    "registration": "fact.registration_id = %(registration)s",
    "type": "fact.type = %(type)s",
}
#: Those who act for an event: to an attendee they are all `organizer`, whoever it was.
TEAM: Final = frozenset({"owner", "manager", "door", "staff", "key"})


def history(asked: Mapping[str, Any]) -> Listing:
    """The facts that `event`, `registration` and `type` leave; one of the first two is given."""
    return Listing(history_query(frozenset(asked)), asked)


@lru_cache(maxsize=16)
def history_query(given: frozenset[str]) -> ListQuery:
    conditions = tuple(CONDITIONS[name] for name in sorted(given))
    # A type that is rare among a million facts is worth a plan of its own.
    columns = f"{COLUMNS}, fact.transaction"
    return ListQuery(
        columns, "journal_fact AS fact", conditions, NEWEST_FIRST, ("transaction",), prepare="type" not in given
    )


def members(row: Row, *, own: Collection[Actor] | None = None) -> dict[str, Any]:
    """A fact as a manager reads it; or as an attendee does, for whom `own` names the account and its keys.

    An attendee learns nothing of who acted for the event.
    """
    actor = Actor(row["actor_kind"], row["actor_id"])
    if own is not None and actor not in own:
        actor = Actor("organizer" if actor.kind in TEAM else actor.kind)
    return {
        "id": row["id"],
        "type": row["type"],
        "at": row["at"],
        "actor": {"kind": actor.kind, "id": actor.id},
        "event": row["event_id"],
        "registration": row["registration_id"],
        "before": as_written(row["before"]),
        "after": as_written(row["after"]),
        "request_id": row["request_id"],
    }


def as_written(value: Any) -> Any:
    """JSON of the database: text on Django's connections, as PostgreSQL writes it, which is with blanks."""
    return orjson.loads(value) if isinstance(value, str) else value
