"""Who helps: invitations by mail, roles, and handing an event over.

An invitation is for an address, and is accepted by whoever has shown that it is theirs. Its token is signed and made
when the mail goes out, so that nothing that is stored opens anything. Locks are taken in the order user, event,
invitation, membership.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Q

from jointoit.accounts.callers import Caller
from jointoit.accounts.models import User
from jointoit.accounts.tokens import DeadToken
from jointoit.errors import Conflict, Forbidden, NotFound
from jointoit.events import booking, facts, notifications, roles
from jointoit.events.models import DoorPass, Event, Invitation, Membership
from jointoit.events.refusals import NotYourEvent
from jointoit.events.roles import Role
from jointoit.journal import writer as journal
from jointoit.mail import links

GOOD_FOR: Final = timedelta(days=7)
KEPT: Final = timedelta(days=30)


class NotYourTeam(Forbidden):
    """The owner chooses who manages; a manager chooses who is at the door."""

    code = "not_your_team"
    message = "This belongs to the owner of the event."
    remedy = "Ask the owner of the event."


class AlreadyInTeam(Conflict):
    """The person manages the event, or is at its door, already: change the role where it stands."""

    code = "already_in_team"
    message = "This person is in the team already."
    remedy = "Change the role where it stands, by PATCH of the member."


class InvitationOpen(Conflict):
    code = "invitation_open"
    message = "An invitation for this address is open."
    remedy = "Withdraw the one that is open first, or wait until it ends."


class HandoverOpen(Conflict):
    code = "handover_open"
    message = "The event is being handed over already."
    remedy = "Withdraw the one that is open first, or wait until it ends."


class OwnerStays(Conflict):
    """An event has one owner, who hands it over and is not removed."""

    code = "owner_stays"
    message = "You own this event already."
    remedy = "Hand the event over by `POST /events/{id}/handover/` if somebody else shall own it."


class OtherAddress(Forbidden):
    code = "other_address"
    message = "The invitation is for another address than the verified one of this account."
    remedy = "Log in with the account that has the address the mail went to, and confirm that address first."


# ── Inviting ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def invite(*, caller: Caller, event_id: int | None, email: str, role: str, now: datetime) -> Invitation:
    """Offer a role at one event or, without one, at all of the caller's. The answer tells nothing about accounts.

    Raises NotFound, NotYourEvent, NotYourTeam, AlreadyInTeam, InvitationOpen.
    """
    with transaction.atomic():
        owner, event = lock_place(caller, event_id)
        demand_right(caller, event, role)
        refuse_in_team(owner, event, email)
        if opened(owner, event, now=now).filter(email__iexact=email).exclude(role=Role.OWNER).exists():
            raise InvitationOpen
        return offer(owner, event, email, role, caller=caller, now=now)


def offer_handover(*, caller: Caller, event_id: int, email: str, now: datetime) -> Invitation:
    """Offer the event itself. Raises NotFound, NotYourEvent, OwnerStays, HandoverOpen."""
    with transaction.atomic():
        owner, event = lock_place(caller, event_id)
        demand_right(caller, event, Role.OWNER)
        if is_address_of(owner, email):
            raise OwnerStays
        if opened(owner, event, now=now).filter(role=Role.OWNER).exists():
            raise HandoverOpen
        return offer(owner, event, email, Role.OWNER, caller=caller, now=now)


def withdraw(*, caller: Caller, event_id: int | None, invitation_id: int | None, now: datetime) -> None:
    """Take an open invitation back; without an id, the offer of the event.

    Raises NotFound, NotYourEvent, NotYourTeam.
    """
    with transaction.atomic():
        owner, event = lock_place(caller, event_id)
        demand_right(caller, event, Role.OWNER if invitation_id is None else Role.DOOR)
        known = Q(role=Role.OWNER) if invitation_id is None else Q(pk=invitation_id) & ~Q(role=Role.OWNER)
        invitation = opened(owner, event, now=now).filter(known).first()
        if invitation is None:
            raise NotFound
        demand_right(caller, event, invitation.role)
        settle(invitation, now=now)


def accept(*, user: User, invitation_id: int, now: datetime) -> Invitation:
    """Take the role that is offered. Raises BadToken for an offer that is used or old, OtherAddress, OwnerStays."""
    with transaction.atomic():
        invitation = Invitation.objects.select_related("event").filter(pk=invitation_id).first()
        if invitation is None:
            raise links.BadToken(field="token")
        lock_people(user.pk, invitation.owner_id)
        event = booking.lock(invitation.event_id) if invitation.event_id else None
        invitation = hold(invitation_id, user, now=now)
        if event and (event.deleted_at or event.organizer_id != invitation.owner_id):
            raise links.BadToken(field="token")
        if invitation.owner_id == user.pk:
            raise OwnerStays
        settle(invitation, now=now)
        if invitation.role == Role.OWNER and event:
            hand_over(event, to=user, caller=Caller(user), now=now)
            notifications.notify_handover(event, invitation.owner, user)
        else:
            join(invitation, user, event, now=now)
    return invitation


def decline(*, user: User, invitation_id: int, now: datetime) -> Invitation:
    """Refuse what is offered. Raises BadToken, OtherAddress."""
    with transaction.atomic():
        invitation = hold(invitation_id, user, now=now)
        settle(invitation, now=now)
    return invitation


# ── Roles ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def change_role(
    *, caller: Caller, event_id: int | None, membership_id: int, role: str | None, now: datetime
) -> Membership:
    """Without a role nothing changes. Raises NotFound, NotYourEvent, NotYourTeam for everybody but the owner."""
    with transaction.atomic():
        owner, event = lock_place(caller, event_id)
        demand_right(caller, event, Role.MANAGER)
        membership = lock_membership(owner, event, membership_id)
        if role in (None, membership.role):
            return membership
        before, membership.role = membership.role, role
        membership.save(update_fields=["role"])
        record(membership, event, caller, before={"role": before}, after={"role": role}, now=now)
    return membership


def remove(*, caller: Caller, event_id: int | None, membership_id: int, now: datetime) -> None:
    """End a role; whoever has it may leave. Raises NotFound, NotYourEvent, NotYourTeam."""
    with transaction.atomic():
        owner, event = lock_place(caller, event_id)
        membership = lock_membership(owner, event, membership_id)
        if not caller.is_user(membership.member_id):
            demand_right(caller, event, membership.role)
        record(membership, event, caller, before={"role": membership.role}, after=None, now=now)
        membership.delete()


def leave(*, user: User, membership_id: int, now: datetime) -> None:
    """Give up a role of one's own. Raises NotFound."""
    with transaction.atomic():
        held = Membership.objects.filter(pk=membership_id, member=user.pk).select_for_update(of=("self",)).first()
        if held is None:
            raise NotFound
        record(held, held.event, Caller(user), before={"role": held.role}, after=None, now=now)
        held.delete()


def hand_over(event: Event, *, to: User, caller: Caller, now: datetime) -> None:
    """Make somebody the owner of an event that is held. Who was it manages it; who helped goes on helping."""
    before = event.organizer
    helping = {row.member_id: row for row in Membership.objects.filter(owner=before, event=event)}
    for row in Membership.objects.filter(
        owner=before, event=None
    ):  # which are for the old owner's events, not for this
        helping.setdefault(row.member_id, Membership(member_id=row.member_id, role=row.role, since=row.since))
    Membership.objects.filter(event=event).delete()
    helping.pop(to.pk, None)
    helping[before.pk] = Membership(member=before, role=Role.MANAGER, since=now)
    Membership.objects.bulk_create(
        Membership(owner=to, event=event, member_id=member, role=row.role, since=row.since)
        for member, row in helping.items()
    )
    opened(before, event, now=now).update(owner=to)
    event.organizer = to
    event.revision += 1
    event.updated_at = now
    event.save(update_fields=["organizer", "revision", "updated_at"])
    actor = roles.acting(caller, event)[1] or journal.SYSTEM
    organizers = {"before": {"organizer": before.pk}, "after": {"organizer": to.pk}}
    facts.record_event("handed_over", event, actor=actor, now=now, **organizers)


def lock_heirs(owner: User) -> None:
    """Hold the accounts that may own an event next, before any event is held."""
    managing = Membership.objects.filter(owner=owner, role=Role.MANAGER).values("member")
    list(User.objects.filter(pk__in=managing).order_by("pk").select_for_update(no_key=True).values_list("pk"))


def hand_on(owner: User, *, now: datetime) -> None:
    """Give each event that is still to come to whoever has managed it longest, and tell them; the events are held."""
    coming = Event.objects.existing().filter(organizer=owner, date__gt=now).exclude(status=Event.Status.CANCELLED)
    for event in coming.order_by("pk"):
        if to := heir(event):
            hand_over(event, to=to, caller=Caller(owner), now=now)
            notifications.notify_handover(event, None, to)


def heir(event: Event) -> User | None:
    """Who owns an event next whose owner goes away: the manager who has served longest."""
    managing = Membership.objects.filter(Q(event=event) | Q(event=None), owner=event.organizer_id, role=Role.MANAGER)
    first = managing.filter(member__is_active=True).select_related("member").order_by("since", "pk").first()
    return first.member if first else None


# ── Steps ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def lock_people(*pks: int) -> None:
    """Hold accounts, in one order. Raises DeadToken where one is closed."""
    for pk in sorted(set(pks)):
        if not User.objects.lock(pk).filter(is_active=True).exists():
            raise DeadToken


def lock_place(caller: Caller, event_id: int | None) -> tuple[User, Event | None]:
    """The owner and the event, held; without an event the caller, for all of whose events it is. Raises NotFound."""
    if event_id is None:
        assert caller.user
        lock_people(caller.user.pk)
        return caller.user, None
    event = booking.lock_seen(event_id, caller)
    return event.organizer, event


def demand_right(caller: Caller, event: Event | None, role: str) -> None:
    """Raise NotYourEvent, or NotYourTeam, where the caller may not give or take that role."""
    if event is None:
        return
    if roles.manager(caller, event, hold=True) is None:
        raise NotYourEvent
    if role != Role.DOOR and roles.owner(caller, event) is None:
        raise NotYourTeam


def lock_membership(owner: User, event: Event | None, pk: int) -> Membership:
    """One of the rows that stand in the team of this place; those for all events are changed at `/users/me/team/`."""
    found = Membership.objects.filter(pk=pk, owner=owner, event=event).select_for_update(of=("self",)).first()
    if found is None:
        raise NotFound
    return found


def hold(pk: int, user: User, *, now: datetime) -> Invitation:
    """The open invitation, held, for whoever has its address. Raises BadToken, OtherAddress."""
    invitation = Invitation.objects.select_for_update(of=("self",)).filter(pk=pk, settled_at=None).first()
    if invitation is None or invitation.expires_at <= now:
        raise links.BadToken(field="token")
    fresh = User.objects.get(pk=user.pk)
    if not (fresh.email_verified and is_address_of(fresh, invitation.email)):
        raise OtherAddress
    return invitation


def is_address_of(user: User, email: str) -> bool:
    return user.email.upper() == email.upper()


def refuse_in_team(owner: User, event: Event | None, email: str) -> None:
    members = Membership.objects.filter(Q(event=None) | Q(event=event) if event else Q(event=None), owner=owner)
    if is_address_of(owner, email) or members.filter(member__email__iexact=email, member__email_verified=True).exists():
        raise AlreadyInTeam


def opened(owner: User, event: Event | None, *, now: datetime) -> Any:
    return Invitation.objects.filter(owner=owner, event=event, settled_at=None, expires_at__gt=now)


def offer(owner: User, event: Event | None, email: str, role: str, *, caller: Caller, now: datetime) -> Invitation:
    invitation = Invitation.objects.create(
        owner=owner, event=event, email=email, role=role, created_at=now, expires_at=now + GOOD_FOR
    )
    notifications.notify_invitation(invitation, inviter=caller.user or owner)
    return invitation


def settle(invitation: Invitation, *, now: datetime) -> None:
    invitation.settled_at = now
    invitation.save(update_fields=["settled_at"])


def join(invitation: Invitation, user: User, event: Event | None, *, now: datetime) -> None:
    """Give the role; who has it already for this place keeps the row, with the role of the invitation."""
    place = {"owner": invitation.owner, "event": event, "member": user}
    membership, is_new = Membership.objects.get_or_create(**place, defaults={"role": invitation.role, "since": now})
    before = None if is_new else {"role": membership.role}
    if not is_new:
        membership.role = invitation.role
        membership.save(update_fields=["role"])
    record(membership, event, Caller(user), before=before, after={"role": invitation.role}, now=now)


def record(
    membership: Membership,
    event: Event | None,
    caller: Caller,
    *,
    before: dict[str, str] | None,
    after: dict[str, str] | None,
    now: datetime,
) -> None:
    """`team.changed` in the journal of the event, or of each that is still to come and whose owner it is."""
    of_owner = Event.objects.existing().filter(organizer=membership.owner_id, date__gt=now)
    events: Iterable[Event] = [event] if event else of_owner.order_by("pk")
    actor_id = caller.user.pk if caller.user else None
    member = {"member": membership.member_id}
    journal.record(
        journal.fact(
            "team.changed",
            actor=roles.acting(caller, each)[1] or journal.Actor("attendee", actor_id),
            at=now,
            event_id=each.pk,
            before=before and before | member,
            after=after and after | member,
        )
        for each in events
    )  # fmt: skip


def forget_contact(user: User) -> None:
    """Have nobody write to somebody whose account goes away; whoever gets their events says whom to write to."""
    Event.objects.filter(organizer=user).exclude(contact=None).update(contact=None)


def forget(user: User) -> None:
    """Erase what names somebody whose account goes away, once their events are handed on."""
    Membership.objects.filter(Q(owner=user) | Q(member=user)).delete()
    addresses = [user.email, *user.former_addresses.values_list("address", flat=True)]
    named = Q(owner=user)
    for address in addresses:
        named |= Q(email__iexact=address)
    offers = Invitation.objects.filter(named)
    notifications.withdraw_invitations(list(offers.values_list("pk", flat=True)))
    offers.delete()
    DoorPass.objects.filter(event__organizer=user).delete()  # what is written on them may name people
    notifications.forget_organizer(user)


def prune(now: datetime) -> None:
    """Forget whom an invitation went to, a month after it ended."""
    ended = Q(settled_at__lt=now - KEPT) | Q(expires_at__lt=now - KEPT)
    Invitation.objects.filter(ended).delete()
