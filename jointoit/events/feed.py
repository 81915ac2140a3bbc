"""Whose facts the feed gives: of published events to anybody, all of an event to who manages it."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from jointoit.accounts.callers import Caller
from jointoit.api.lists.prepared import Row
from jointoit.events.roles import MANAGED
from jointoit.journal import feed, reader
from jointoit.journal.feed import AHEAD, FACTS, IN_ORDER, Cursor, Page

CONDITIONS: Final[Mapping[str, str]] = {
    "event": "fact.event_id = %(event)s",
    "types": "fact.type = ANY(%(types)s::text[])",
}
#: Of an event that staff hid nothing is told to everybody but that. The index event_hidden finds the few there are.
SHOWN: Final = """(
    fact.event_id <> ALL (ARRAY(SELECT id FROM events_event WHERE hidden_status IS NOT NULL))
    OR jsonb_exists(fact.after, 'hidden'))"""
SIZE: Final = 20
#: What anybody reads of who took a step.
NOBODY: Final = {"actor": {"kind": "organizer", "id": None}, "request_id": None}


def page(asked: Mapping[str, Any], *, caller: Caller) -> Page:
    """The page that the parameters (`FeedParameters`) ask for.

    Raises InvalidParameter, CursorExpired, FeedIsRenewed.
    """
    cursor = Cursor.read(asked["cursor"]) if "cursor" in asked else None
    size = int(asked.get("page_size", SIZE))
    if cursor is None and asked.get("from") == "now":
        return Page([], feed.now())
    facts = query(frozenset(asked.keys() & CONDITIONS.keys()), caller.user is not None, asked.get("managed", False))
    # Of a type that is rare among a million facts PostgreSQL has to know to find a good plan.
    return feed.read(facts, {**asked, **caller.values}, cursor=cursor, size=size, prepare="types" not in asked)


@lru_cache(maxsize=32)
def query(given: frozenset[str], signed_in: bool, only_managed: bool) -> str:
    narrowed = " AND ".join(["true", *(CONDITIONS[name] for name in sorted(given))])
    facts, conditions = f"SELECT {FACTS}, {{managed}} AS managed FROM journal_fact AS fact", f"{AHEAD} AND {narrowed}"
    public = f"{facts.format(managed='false')} WHERE fact.public AND {SHOWN} AND {conditions}"
    if not signed_in:
        return f"{public} AND {'false' if only_managed else 'true'} {IN_ORDER}"
    # Each event for itself, by its index: what others manage is never looked at.
    managed = f"WITH managed AS MATERIALIZED ({MANAGED}{' AND event.id = %(event)s' if 'event' in given else ''})"
    own = (
        f"SELECT own.* FROM managed CROSS JOIN LATERAL ({facts.format(managed='true')} "
        f"WHERE fact.event_id = managed.id AND {conditions} {IN_ORDER}) AS own"
    )
    if only_managed:
        return f"{managed} SELECT fact.* FROM ({own}) AS fact {IN_ORDER}"
    # What is in both is one's own: a fact that is not among the first of one's own is not among the first of both.
    first = IN_ORDER.replace(" LIMIT", ", fact.managed DESC LIMIT")
    both = f"{own} UNION ALL ({public} {IN_ORDER})"
    return f"{managed} SELECT DISTINCT ON (fact.transaction, fact.id) fact.* FROM ({both}) AS fact {first}"


def members(row: Row) -> dict[str, Any]:
    """A fact as the reader of the feed sees it; who acted is for who manages the event."""
    fact = reader.members(row)
    return fact if row["managed"] else fact | NOBODY
