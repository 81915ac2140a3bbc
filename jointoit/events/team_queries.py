"""The team and its invitations as clients read them, one statement for each list."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from jointoit.api.lists.pagination import Key, Listing, ListQuery
from jointoit.api.lists.prepared import Row
from jointoit.events.models import Invitation, Membership
from jointoit.events.serializers import summary_columns, summary_members

NAMES: Final = ("username", "first_name", "last_name")
MEMBERS: Final = "events_membership AS membership JOIN accounts_user AS member ON member.id = membership.member_id"
MEMBER_COLUMNS: Final = (
    "membership.id, membership.role, membership.since, membership.event_id, "
    "member.id AS user_id, member.username, member.first_name, member.last_name"
)
SUMMARY: Final = (
    "event.title AS event_title, event.date AS event_date, event.location AS event_location, "
    "event.status AS event_status"
)
OLDEST_FIRST: Final = (Key("id", "membership.id", "bigint"),)
TEAM: Final = ListQuery(
    MEMBER_COLUMNS,
    MEMBERS,
    ("membership.owner_id = %(owner)s", "(membership.event_id IS NULL OR membership.event_id = %(event)s)"),
    OLDEST_FIRST,
)
HELPERS: Final = ListQuery(
    MEMBER_COLUMNS, MEMBERS, ("membership.owner_id = %(owner)s", "membership.event_id IS NULL"), OLDEST_FIRST
)
ROLES: Final = ListQuery(
    f"membership.id, membership.role, membership.since, membership.event_id, {SUMMARY}, "
    "owner.id AS owner_id, owner.username AS owner_username",
    "events_membership AS membership JOIN accounts_user AS owner ON owner.id = membership.owner_id "
    "LEFT JOIN events_event AS event ON event.id = membership.event_id",
    ("membership.member_id = %(member)s", "event.deleted_at IS NULL"),
    OLDEST_FIRST,
)
INVITATIONS: Final = "events_invitation AS invitation LEFT JOIN events_event AS event ON event.id = invitation.event_id"
INVITATION_COLUMNS: Final = (
    "invitation.id, invitation.email, invitation.role, invitation.created_at, invitation.expires_at, "
    f"invitation.event_id, {SUMMARY}"
)
OPEN: Final = ("invitation.settled_at IS NULL", "invitation.expires_at > %(now)s", "event.deleted_at IS NULL")
FIRST_OFFERED: Final = (Key("id", "invitation.id", "bigint"),)


def team(*, owner: int, event: int) -> Listing:
    """Who helps with one event, those for all of the owner's included."""
    return Listing(TEAM, {"owner": owner, "event": event})


def helpers(*, owner: int) -> Listing:
    """Who helps with all events of one owner."""
    return Listing(HELPERS, {"owner": owner})


def roles_of(*, member: int) -> Listing:
    """Where somebody helps."""
    return Listing(ROLES, {"member": member})


def invitations(**values: Any) -> Listing:
    """What is open: from an `owner`, for an `event` or, with None, for all of theirs; or to an `address`."""
    return Listing(invitation_query(frozenset(name for name in values if values[name] is not None)), values)


@lru_cache(maxsize=8)
def invitation_query(given: frozenset[str]) -> ListQuery:
    if "address" in given:
        narrowed = ["upper(invitation.email) = upper(%(address)s)"]
    else:
        of_event = "invitation.event_id = %(event)s" if "event" in given else "invitation.event_id IS NULL"
        narrowed = ["invitation.owner_id = %(owner)s", of_event]
    return ListQuery(INVITATION_COLUMNS, INVITATIONS, (*OPEN, *narrowed), FIRST_OFFERED)


PASSES: Final = ListQuery(
    "door_pass.id, door_pass.label, door_pass.created_at, door_pass.expires_at",
    "events_doorpass AS door_pass",
    ("door_pass.event_id = %(event)s", "door_pass.revoked_at IS NULL", "door_pass.expires_at > %(now)s"),
    (Key("id", "door_pass.id", "bigint"),),
)


def door_passes(*, event: int, now: datetime) -> Listing:
    """The passes of an event that are good."""
    return Listing(PASSES, {"event": event, "now": now})


# ── As clients see them ───────────────────────────────────────────────────────────────────────────────────────────────


def member_of(membership: Membership) -> dict[str, Any]:
    """A role at hand as the list shows it."""
    user = membership.member
    return member_members(vars(membership) | {"user_id": user.pk, **{name: getattr(user, name) for name in NAMES}})


def invitation_of(invitation: Invitation) -> dict[str, Any]:
    return invitation_members(vars(invitation) | summary_columns(invitation.event))


def member_members(row: Row) -> dict[str, Any]:
    user = {"id": row["user_id"], **{name: row[name] for name in NAMES}}
    return {"id": row["id"], "user": user, "role": row["role"], "scope": scope_of(row), "since": row["since"]}


def role_members(row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "owner": {"id": row["owner_id"], "username": row["owner_username"]},
        "event": summary_members(row),
        "role": row["role"],
        "scope": scope_of(row),
        "since": row["since"],
    }


def invitation_members(row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "email": row["email"],
        "role": row["role"],
        "scope": scope_of(row),
        "event": summary_members(row),
        "expires_at": row["expires_at"],
    }


def scope_of(row: Mapping[str, Any]) -> str:
    return "all" if row["event_id"] is None else "event"
