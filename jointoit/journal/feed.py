"""Facts in the order in which they became visible: what makes a cursor that neither loses nor doubles one.

Ids are given before their transactions commit, so a fact may turn up behind one with a greater id. A transaction,
however, that had ended when a statement began has shown all of its facts: below the oldest one that still runs (the
*horizon*) nothing is added any more, and (transaction, id) is an order that only ever grows at its end.

Who reads and who writes nothing holds nothing up: a dump has no number. Transactions in other databases of the same
server are known from `pg_stat_activity` and passed over; one that cannot be told apart is waited for.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

import structlog
from django.core import signing
from django.db import connection, transaction

from jointoit.api.lists.prepared import PreparedQuery, Row
from jointoit.api.problems.validation import InvalidParameter
from jointoit.errors import Gone, Unavailable
from jointoit.journal.models import FeedPosition
from jointoit.journal.reader import COLUMNS
from jointoit.process.place import HERE

log = structlog.get_logger(__name__)

LARGEST_PAGE: Final = 100
SIGNER: Final = signing.Signer(salt="jointoit.journal.feed", sep=".")
HORIZON: Final = """(
    SELECT coalesce(min(running.number::text::bigint), pg_snapshot_xmax(pg_current_snapshot())::text::bigint)
    FROM pg_snapshot_xip(pg_current_snapshot()) AS running (number)
    WHERE NOT EXISTS (SELECT FROM pg_stat_activity AS elsewhere
                      WHERE elsewhere.backend_xid = running.number::xid AND elsewhere.datname <> current_database()))"""
#: One snapshot says what there is, up to where, and whether it is whole.
STATE: Final = f"""
    SELECT home = {HERE} AS is_here, era::text, pruned, pruned_transaction, pruned_id, {HORIZON} AS horizon,
           pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS future
    FROM journal_feedstate WHERE id = 1
"""
PAGE: Final = """
    SELECT state.*, page.* FROM ({state}) AS state LEFT JOIN LATERAL ({facts}) AS page ON true
    ORDER BY page.transaction, page.id LIMIT %(page_rows)s
"""
#: To be put into a query of facts, whose columns are these.
FACTS: Final = f"{COLUMNS}, fact.transaction"
AHEAD: Final = (
    """(fact.transaction, fact.id) > (%(edge_transaction)s, %(edge_id)s) AND fact.transaction < state.horizon"""
)
#: A constant, so that PostgreSQL plans for few rows.
IN_ORDER: Final = f"ORDER BY fact.transaction, fact.id LIMIT {LARGEST_PAGE + 1}"


class CursorExpired(Gone):
    """Facts after this cursor were forgotten, or the database is a restored copy: it does not lead to all there was."""

    code = "cursor_expired"
    message = "This cursor leads to nothing whole any more; start anew at the address in `restart`."
    remedy = (
        "Read what you mirror anew, then go on from `restart`. `from=start` gives all facts that there are, "
        "`from=now` those to come."
    )
    shown = {"restart": "{server}/feed/?from=start"}


class FeedIsRenewed(Unavailable):
    """The database was restored; within seconds its facts are in order again."""

    code = "feed_renewed"
    message = "The feed is being put in order after a restore; try again in a moment."
    remedy = "Ask again after `Retry-After` seconds."


@dataclass(frozen=True)
class Cursor:
    """Behind which fact a page begins; `era` and `pruned` are those of the moment it was given out."""

    transaction: int = 0
    id: int = 0
    era: str | None = None
    pruned: int = 0

    def write(self) -> str:
        return SIGNER.sign_object([self.transaction, self.id, self.era, self.pruned])

    @classmethod
    def read(cls, text: str) -> "Cursor":
        """Raises InvalidParameter for what the feed did not give out."""
        try:
            number, pk, era, pruned = SIGNER.unsign_object(text)
        except (signing.BadSignature, ValueError, TypeError):
            raise InvalidParameter("cursor", "This is not a cursor of the feed.", code="invalid_cursor") from None
        return cls(number, pk, era, pruned)


@dataclass(frozen=True)
class Page:
    rows: list[Row]
    next: Cursor


@lru_cache(maxsize=100)
def page_query(facts: str, *, prepare: bool) -> PreparedQuery:
    return PreparedQuery(PAGE.format(state=STATE, facts=facts), prepare=prepare)


NOTHING: Final = f"SELECT {FACTS} FROM journal_fact AS fact WHERE false"


def now() -> Cursor:
    """Behind everything that is visible."""
    return read(NOTHING, {}, cursor=None, size=LARGEST_PAGE).next


def read(facts: str, values: dict[str, Any], *, cursor: Cursor | None, size: int, prepare: bool = True) -> Page:
    """The page behind a cursor; from the very beginning without one. `facts` is a query with AHEAD and IN_ORDER.

    Raises CursorExpired, FeedIsRenewed.
    """
    edge = cursor or Cursor()
    asked = values | {"edge_transaction": edge.transaction, "edge_id": edge.id, "page_rows": size + 1}
    rows = page_query(facts, prepare=prepare).rows(asked)
    if not rows:
        make_state()
        return read(facts, values, cursor=cursor, size=size, prepare=prepare)
    state, found = rows[0], [row for row in rows if row["id"] is not None]
    if cursor and is_expired(cursor, state):
        raise CursorExpired
    if not state["is_here"]:
        raise FeedIsRenewed
    page = found[:size]
    last = (page[-1]["transaction"], page[-1]["id"]) if page else (edge.transaction, edge.id)
    if len(found) <= size:  # that was all: nothing is left below the horizon
        last = max(last, (state["horizon"], 0))
    return Page(page, replace(edge, transaction=last[0], id=last[1], era=state["era"], pruned=state["pruned"]))


def is_expired(cursor: Cursor, state: Row) -> bool:
    if cursor.era != state["era"] or not state["is_here"]:
        return True
    forgotten = (state["pruned_transaction"], state["pruned_id"])
    missed = cursor.pruned < state["pruned"] and (cursor.transaction, cursor.id) < forgotten
    return bool(missed or cursor.transaction > state["future"])  # files were put back, and their numbers run again


# ── Who follows ───────────────────────────────────────────────────────────────────────────────────────────────────────


def follow(positions: type[FeedPosition], facts: str, *, size: int) -> list[Row]:
    """The next facts of a query as `read` wants it, each once, if the caller's transaction commits.

    None where another follower with the same position is at it, and at the beginning, which is now.
    """
    position = positions._default_manager.select_for_update(skip_locked=True).filter(pk=1).first()
    if position is None:
        begin(positions)
        return []
    try:
        page = read(facts, {}, cursor=Cursor(*position.place), size=size)
    except CursorExpired:
        page = Page([], now())  # what a restored copy holds was told by its original
    except FeedIsRenewed:
        return []
    if place_of(page.next) != position.place:
        positions._default_manager.filter(pk=1).update(place=place_of(page.next))
    return page.rows


def begin(positions: type[FeedPosition]) -> None:
    """Start with what happens from now on, unless there is a row that somebody else holds."""
    try:
        place = place_of(now())
    except FeedIsRenewed:
        return
    only = positions(place=place)
    only.pk = 1
    positions._default_manager.bulk_create([only], ignore_conflicts=True)


def place_of(cursor: Cursor) -> list[Any]:
    return [cursor.transaction, cursor.id, cursor.era, cursor.pruned]


# ── The state ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def make_state() -> None:
    """Add the row, if there is none yet."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO journal_feedstate (id, home, pruned, pruned_transaction, pruned_id) "
            f"VALUES (1, {HERE}, 0, 0, 0) ON CONFLICT DO NOTHING"
        )


def note_pruning(*, event_id: int) -> None:
    """Before the facts of an event are forgotten: cursors that have not passed them all are good no longer."""
    make_state()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE journal_feedstate SET pruned = pruned + 1, (pruned_transaction, pruned_id) = (SELECT * FROM ("
            "  SELECT transaction, id FROM journal_fact WHERE event_id = %s"
            "  UNION ALL SELECT pruned_transaction, pruned_id"
            ") AS facts ORDER BY 1 DESC, 2 DESC LIMIT 1) WHERE id = 1",
            [event_id],
        )


def renew() -> bool:
    """In a restored copy, put what was restored before all that is to come, and begin an era; whether it was one."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM journal_feedstate WHERE id = 1 AND home <> {HERE} FOR UPDATE")
        if not cursor.fetchone():
            return False
        cursor.execute("SET LOCAL statement_timeout = 0")  # every row, once after a restore
        cursor.execute("UPDATE journal_fact SET transaction = 0 WHERE transaction <> 0")
        cursor.execute(
            f"UPDATE journal_feedstate SET home = {HERE}, era = gen_random_uuid(), "
            "pruned_transaction = 0, pruned_id = 0"
        )
    log.warning("feed_renewed_after_restore", hint="Readers of the feed are told to begin anew; nothing to do.")
    return True
