"""The log of the door, newest first, and as a file."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from jointoit.api.lists.pagination import Key, Listing, ListQuery
from jointoit.api.lists.prepared import PreparedQuery, Row
from jointoit.checkin.counts import CONTRADICTS
from jointoit.checkin.door import MEMBERS, TABLES, Keeper, scan_members
from jointoit.events.roles import Role

COLUMNS: Final = f"{MEMBERS}, {CONTRADICTS} AS conflict, scan.undone_at, scan.undone_by_kind, scan.undone_by_id"
NEWEST_FIRST: Final = (
    Key("received_at", "scan.received_at", "timestamptz", descending=True),
    Key("id", "scan.id", "uuid", descending=True),
)
CONDITIONS: Final[Mapping[Any, str]] = {
    "result": "scan.result = %(result)s",
    "gate": "scan.gate = %(gate)s",
    "registration": "scan.registration_id = %(registration)s",
    ("conflict", True): CONTRADICTS,
    ("conflict", False): f"NOT {CONTRADICTS}",
}
OWN: Final = "scan.account_id IS NOT DISTINCT FROM %(account)s AND scan.pass_id IS NOT DISTINCT FROM %(pass)s"


def scans(asked: Mapping[str, Any], *, keeper: Keeper) -> Listing:
    """The scans that the parameters (`ScanParameters`) leave: all for who manages the event, else one's own."""
    signature = frozenset((name, value if name == "conflict" else None) for name, value in asked.items())
    query = scan_query(signature, keeper.role == Role.DOOR)
    return Listing(query, {**asked, **keeper.own, "event": keeper.event.pk})


@lru_cache(maxsize=64)
def scan_query(asked: frozenset[tuple[str, Any]], own: bool) -> ListQuery:
    found = [CONDITIONS.get(name) or CONDITIONS[name, value] for name, value in sorted(asked)]
    conditions = ("scan.event_id = %(event)s", *found, *([OWN] if own else []))
    return ListQuery(COLUMNS, TABLES, conditions, NEWEST_FIRST, prepare=False)


def scan_file(listing: Listing) -> PreparedQuery:
    """All rows of a log, the oldest first."""
    conditions = " AND ".join(listing.query.conditions)
    return PreparedQuery(
        f"SELECT {COLUMNS} FROM {TABLES} WHERE {conditions} ORDER BY scan.received_at, scan.id", prepare=False
    )


def log_members(row: Row) -> dict[str, Any]:
    """A scan with what became of it."""
    undone = {"at": row["undone_at"], "by": {"kind": row["undone_by_kind"], "id": row["undone_by_id"]}}
    return scan_members(row) | {"conflict": row["conflict"], "undone": undone if row["undone_at"] else None}


#: The columns of the file.
FILE: Final = (
    "id", "registration", "name", "result", "reason", "gate", "by", "scanned_at", "received_at", "conflict",
    "undone_at",
)  # fmt: skip


def file_members(row: Row) -> dict[str, Any]:
    members = log_members(row)
    by = "" if row["actor_id"] is None else f" {row['actor_id']}"
    return members | {
        "by": f"{row['actor_kind']}{by}",
        "conflict": "true" if row["conflict"] else "false",
        "undone_at": row["undone_at"],
    }
