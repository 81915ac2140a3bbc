"""Who has a seat, for devices without network; and what of it changed since.

`since` is the oldest transaction that ran when a roster was read. Facts of this one and of later ones are what the
reader may not have seen: each is told at least once, whatever order they commit in.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from django.core import signing

from jointoit.api.lists.pagination import Key, Listing, ListQuery
from jointoit.api.lists.prepared import PreparedQuery, Row
from jointoit.checkin.door import NAMES, name_of
from jointoit.errors import Gone

#: A roster is asked for anew after that: before it, no fact of the event is forgotten.
KEPT: Final = timedelta(days=7)
SIGNER: Final = signing.TimestampSigner(salt="jointoit.checkin.roster", sep=".")
COLUMNS: Final = f"""
    registration.id, registration.ticket_issue, registration.status, {NAMES},
    (SELECT min(scan.scanned_at) FROM checkin_scan AS scan
     WHERE scan.registration_id = registration.id AND scan.entered AND scan.undone_at IS NULL) AS admitted_at
"""
TABLES: Final = (
    "events_registration AS registration JOIN accounts_user AS person ON person.id = registration.attendee_id"
)
ORDER: Final = (Key("id", "registration.id", "bigint"),)
OF_EVENT: Final = "registration.event_id = %(event)s"
ALL: Final = ListQuery(COLUMNS, TABLES, (OF_EVENT, "registration.status = 'confirmed'"), ORDER, prepare=False)
CHANGED: Final = ListQuery(
    COLUMNS,
    TABLES,
    (
        OF_EVENT,
        """registration.id IN (SELECT fact.registration_id FROM journal_fact AS fact
                               WHERE fact.transaction >= %(transaction)s AND fact.event_id = %(event)s)""",
    ),
    ORDER,
    prepare=False,
)
HORIZON: Final = PreparedQuery(
    "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS oldest, "
    "pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS next"
)


class Resync(Gone):
    code = "resync"
    message = "This is too old, or not of this roster."
    remedy = "Read the whole roster again, without `since`."


def roster(asked: Mapping[str, Any], *, event_id: int) -> tuple[Listing, str]:
    """What the parameters (`RosterParameters`) ask for, and the `since` for the next time. Raises Resync.

    The links of a list carry the `since` of its first page: what changes while pages are read is told the next time.
    """
    [horizon] = HORIZON.rows({})
    since = asked.get("as_of") or mark(event_id, horizon["oldest"])
    read(since, event_id=event_id, horizon=horizon)
    values: dict[str, Any] = {"event": event_id}
    if "since" in asked:
        values["transaction"] = read(asked["since"], event_id=event_id, horizon=horizon)
    return Listing(CHANGED if "since" in asked else ALL, values, in_links={"as_of": since}), since


def mark(event_id: int, transaction: int) -> str:
    return SIGNER.sign_object([event_id, transaction])


def read(since: str, *, event_id: int, horizon: Row) -> int:
    """The transaction; a number that is still to come is of another database. Raises Resync."""
    try:
        of_event, transaction = SIGNER.unsign_object(since, max_age=KEPT)
    except signing.BadSignature:
        raise Resync from None
    if of_event != event_id or transaction > horizon["next"]:
        raise Resync
    return int(transaction)


def roster_members(row: Row) -> dict[str, Any]:
    """One seat; who has none any more is named by the number alone."""
    if row["status"] != "confirmed":
        return {"registration": row["id"], "issue": None, "name": None, "admitted_at": None}
    return {
        "registration": row["id"],
        "issue": row["ticket_issue"],
        "name": name_of(row),
        "admitted_at": row["admitted_at"],
    }


# ── Search ────────────────────────────────────────────────────────────────────────────────────────────────────────────

MOST_HITS: Final = 20
MOST_WORDS: Final = 8  # each is looked for in every name
NAME: Final = "events_plain_text(concat_ws(' ', person.username, person.first_name, person.last_name))"
FOUND: Final = PreparedQuery(
    f"""
    SELECT {COLUMNS} FROM {TABLES}
    WHERE {OF_EVENT} AND (SELECT bool_and(strpos({NAME}, events_plain_text(word)) > 0)
                          FROM unnest(%(words)s::text[]) AS word)
    ORDER BY registration.status <> 'confirmed', registration.status, person.last_name, person.first_name,
             registration.id
    LIMIT {MOST_HITS}
""",
    prepare=False,
)


def search(words: str, *, event_id: int) -> list[dict[str, Any]]:
    """Who of an event has all of these words in the name, those with a seat first; addresses are not looked at."""
    rows = FOUND.rows({"event": event_id, "words": list(dict.fromkeys(words.split()))[:MOST_WORDS]})
    return [
        {"registration": row["id"], "name": name_of(row), "status": row["status"], "admitted_at": row["admitted_at"]}
        for row in rows
    ]
