"""Who may do what with an event: the owner, whoever helps, and as whom the journal names them.

The owner is the event's organizer. Others help with one event, or with all of the owner's, also later ones. Who has no
role costs nothing: the owner is seen from the event itself, and nobody else is looked for on public pages.
"""

from typing import Final

from django.db.models import Q

from jointoit.accounts.callers import Caller
from jointoit.accounts.models import ApiKey, User
from jointoit.api.lists.prepared import PreparedQuery
from jointoit.events.models import Event, Invitation, Membership, Registration
from jointoit.journal.writer import SYSTEM, Actor

Role = Invitation.Role

#: For statements over `event` with the values of a caller. Whether a key of theirs is good for it:
REACHES: Final = "(%(only)s::bigint[] IS NULL OR event.id = ANY(%(only)s::bigint[]))"
#: And whether they manage it. The organizer is looked at first, which is rarely somebody else.
MANAGES: Final = f"""
    ({REACHES} AND (event.organizer_id = %(reader)s OR EXISTS (
        SELECT FROM events_membership AS membership
        WHERE membership.member_id = %(reader)s AND membership.owner_id = event.organizer_id
          AND membership.role = 'manager' AND (membership.event_id IS NULL OR membership.event_id = event.id))))
"""

#: All that a reader manages and their key is good for, what was deleted included: for facts, which outlive it.
MANAGED: Final = """
    SELECT event.id FROM (
        SELECT id FROM events_event WHERE organizer_id = %(reader)s
        UNION SELECT helped.id FROM events_membership AS membership
              JOIN events_event AS helped ON helped.organizer_id = membership.owner_id
                   AND (membership.event_id IS NULL OR membership.event_id = helped.id)
              WHERE membership.member_id = %(reader)s AND membership.role = 'manager'
    ) AS event WHERE (%(only)s::bigint[] IS NULL OR event.id = ANY(%(only)s::bigint[]))
"""
#: The other way round: who manages `event`.
MANAGERS: Final = """
    SELECT event.organizer_id AS person
    UNION SELECT member_id FROM events_membership AS membership
          WHERE membership.owner_id = event.organizer_id AND membership.role = 'manager'
            AND (membership.event_id IS NULL OR membership.event_id = event.id)
"""

#: For lists: the events with which a reader has a role, each found by an index.
OWN: Final = "SELECT id FROM events_event WHERE organizer_id = %(reader)s AND deleted_at IS NULL"
OTHERS: Final = """
    SELECT helped.id FROM events_membership AS membership
    JOIN events_event AS helped ON helped.organizer_id = membership.owner_id AND helped.deleted_at IS NULL
         AND (membership.event_id IS NULL OR membership.event_id = helped.id)
    WHERE membership.member_id = %(reader)s
"""
DRAFTS: Final = "(membership.role = 'manager' OR helped.status <> 'draft')"
HELPED: Final = {
    "owner": f"event.id IN ({OWN})",
    "manager": f"event.id IN ({OTHERS} AND membership.role = 'manager')",
    "door": f"event.id IN ({OTHERS} AND membership.role = 'door' AND {DRAFTS})",
    "any": f"event.id IN ({OWN} UNION ALL {OTHERS} AND {DRAFTS})",
}
#: For who does not hold the event.
SHARED: Final = PreparedQuery("""
    SELECT role FROM events_membership
    WHERE member_id = %(member)s AND owner_id = %(owner)s AND (event_id IS NULL OR event_id = %(event)s) FOR SHARE
""")


def role_of(user_id: int, event: Event, *, hold: bool = False) -> Role | None:
    """The most that somebody may do. With `hold` the role stays until the transaction ends.

    Whoever withdraws it waits for that, and nothing is done with a right after it was withdrawn.
    """
    if event.organizer_id == user_id:
        return Role.OWNER
    rows = Membership.objects.filter(Q(event=None) | Q(event=event.pk), owner=event.organizer_id, member=user_id)
    # The event is held, and hands nobody over meanwhile; the rows are shared, which keeps none from acting beside us.
    rows = rows.select_for_update(no_key=True) if hold else rows
    held = {row.role for row in rows}
    return next((role for role in (Role.MANAGER, Role.DOOR) if role in held), None)


def acting(caller: Caller, event: Event, *, hold: bool = False) -> tuple[Role | None, Actor | None]:
    """The role of a caller, and as whom the journal names them. The service and staff may do what an owner may."""
    if caller.is_service:
        return Role.OWNER, SYSTEM
    if not caller.reaches(event.pk):
        return None, None
    if caller.door:
        return Role.DOOR, Actor("door", caller.door.pass_id)
    if caller.user is None:
        return None, None
    if caller.as_staff:
        return Role.OWNER, Actor("staff", caller.user.pk)
    role = role_of(caller.user.pk, event, hold=hold)
    if role is None:
        return None, None
    return role, Actor("key", caller.key.pk) if caller.key else Actor(role, caller.user.pk)


def manager(caller: Caller, event: Event, *, hold: bool = False) -> Actor | None:
    """As whom the caller manages the event; None where they do not."""
    role, actor = acting(caller, event, hold=hold)
    return actor if role in (Role.OWNER, Role.MANAGER) else None


def owner(caller: Caller, event: Event) -> Actor | None:
    role, actor = acting(caller, event)
    return actor if role == Role.OWNER else None


def at_door(caller: Caller, event: Event) -> tuple[Role, Actor] | None:
    """The role of who lets people in, and as whom; None for everybody else. Who manages the event may do it too."""
    role, actor = acting(caller, event)
    return (role, actor) if role and actor else None


def share(caller: Caller, event: Event) -> bool:
    """Whether the caller still has a role; it stays until the transaction ends, beside others who act with it."""
    if caller.user is None or caller.as_staff or event.organizer_id == caller.user.pk:
        return True
    return bool(SHARED.rows({"member": caller.user.pk, "owner": event.organizer_id, "event": event.pk}))


def attendee(user: User, key: ApiKey | None = None) -> Actor:
    """As whom the journal names somebody who acts for themselves."""
    return Actor("key", key.pk) if key else Actor("attendee", user.pk)


def is_own(registration: Registration, caller: Caller) -> bool:
    return caller.is_user(registration.attendee_id) and caller.reaches(registration.event_id)


def sees(caller: Caller, event: Event) -> bool:
    """Whether the event exists for the caller: what is deleted does for nobody, a draft for who manages it."""
    return event.deleted_at is None and (event.status != Event.Status.DRAFT or manager(caller, event) is not None)
