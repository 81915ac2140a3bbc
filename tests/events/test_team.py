"""Who may help, who lets them, and how an event finds another owner."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from jointoit.accounts import account_closing
from jointoit.accounts.callers import Caller
from jointoit.accounts.models import User
from jointoit.events import booking, roles, scheduling, team
from jointoit.events.models import Event, Invitation, Membership
from jointoit.events.refusals import NotYourEvent
from jointoit.journal.models import Fact
from jointoit.mail import links
from jointoit.mail.models import OutboxMail

ELSEWHERE = "grace@example.net"


@pytest.fixture
def owner(make_user: Callable[..., User]) -> User:
    return make_user(username="owner", email_verified=True)


@pytest.fixture
def event(make_event: Callable[..., Event], owner: User) -> Event:
    return make_event(organizer=owner, title="Launch")


@pytest.fixture
def grace(make_user: Callable[..., User]) -> User:
    return make_user(username="grace", email=ELSEWHERE, email_verified=True)


@pytest.fixture
def invited(owner: User, event: Event, now: Any) -> Any:
    def invite(role: str = "manager", *, everywhere: bool = False, email: str = ELSEWHERE) -> Invitation:
        place = None if everywhere else event.pk
        return team.invite(caller=Caller(owner), event_id=place, email=email, role=role, now=now)

    return invite


def accept(user: User, invitation: Invitation, now: Any) -> Invitation:
    return team.accept(user=user, invitation_id=invitation.pk, now=now)


def kinds(address: str) -> list[str]:
    return list(OutboxMail.objects.filter(recipient=address).order_by("pk").values_list("kind", flat=True))


def test_who_accepts_helps(invited, event, grace, now):
    accept(grace, invited("door"), now)

    assert roles.role_of(grace.pk, event) == "door"
    assert kinds(ELSEWHERE) == ["team_invitation"]


def test_a_helper_of_all_events_helps_with_later_ones(invited, owner, make_event, grace, now):
    accept(grace, invited("manager", everywhere=True), now)

    assert roles.role_of(grace.pk, make_event(organizer=owner)) == "manager"


def test_the_greater_of_two_roles_counts(invited, event, grace, now):
    accept(grace, invited("door"), now)
    accept(grace, invited("manager", everywhere=True), now)

    assert roles.role_of(grace.pk, event) == "manager"


@pytest.mark.parametrize("end", ["used", "declined", "withdrawn", "expired", "deleted event"])
def test_an_invitation_that_is_over_is_one_and_the_same_refusal(invited, owner, event, grace, now, end):
    invitation, later = invited(), now
    if end == "used":
        accept(grace, invitation, now)
    elif end == "declined":
        team.decline(user=grace, invitation_id=invitation.pk, now=now)
    elif end == "withdrawn":
        team.withdraw(caller=Caller(owner), event_id=event.pk, invitation_id=invitation.pk, now=now)
    elif end == "expired":
        later = now + timedelta(days=7)
    else:
        scheduling.delete(event_id=event.pk, caller=Caller(owner), now=now)

    with pytest.raises(links.BadToken):
        accept(grace, invitation, later)


@pytest.mark.parametrize(("email", "verified"), [(ELSEWHERE, False), ("other@example.net", True)])
def test_only_the_verified_address_accepts(invited, event, make_user, now, email, verified):
    other = make_user(email=email, email_verified=verified)

    with pytest.raises(team.OtherAddress):
        accept(other, invited(), now)
    assert roles.role_of(other.pk, event) is None


def test_the_address_counts_in_any_case(invited, event, make_user, now):
    accept(user := make_user(email=ELSEWHERE.upper(), email_verified=True), invited(), now)

    assert roles.role_of(user.pk, event) == "manager"


@pytest.mark.parametrize("known", [False, True])
def test_the_answer_says_nothing_of_accounts(owner, event, signed_in, make_user, known):
    if known:
        make_user(email=ELSEWHERE, email_verified=True)

    answer = signed_in(owner).post(f"/events/{event.pk}/invitations/", {"email": ELSEWHERE, "role": "door"})

    summary = {name: getattr(event, name) for name in ("title", "location", "status")}
    body = answer.json()
    assert (answer.status_code, body["email"], body["role"], body["scope"]) == (201, ELSEWHERE, "door", "event")
    assert body.keys() == {"id", "email", "role", "scope", "event", "expires_at"}
    assert {name: body["event"][name] for name in summary} == summary


def test_an_address_is_asked_once_at_a_time(invited, now):
    invited()

    with pytest.raises(team.InvitationOpen):
        invited("door")


@pytest.mark.parametrize("who", ["owner", "helper"])
def test_who_is_in_the_team_is_not_asked(invited, owner, grace, now, who):
    accept(grace, invited(), now)

    with pytest.raises(team.AlreadyInTeam):
        invited("door", email=owner.email.upper() if who == "owner" else ELSEWHERE)


def test_a_manager_does_what_the_owner_does_but_for_owning(invited, event, grace, register, now):
    accept(grace, invited(), now)
    pending = register(event)
    manager = Caller(grace)

    scheduling.change(event_id=event.pk, caller=manager, fields={"title": "Better"}, now=now)
    booking.remove(registration_id=pending.pk, caller=manager, now=now)
    with pytest.raises(NotYourEvent):
        scheduling.delete(event_id=event.pk, caller=manager, now=now)
    with pytest.raises(team.NotYourTeam):
        team.offer_handover(caller=manager, event_id=event.pk, email="x@example.net", now=now)
    with pytest.raises(team.NotYourTeam):
        team.invite(caller=manager, event_id=event.pk, email="x@example.net", role="manager", now=now)
    assert team.invite(caller=manager, event_id=event.pk, email="x@example.net", role="door", now=now).role == "door"


def test_who_leaves_or_is_removed_has_no_right_left(invited, event, grace, owner, now):
    accept(grace, invited(), now)
    [role] = Membership.objects.all()

    team.remove(caller=Caller(owner), event_id=event.pk, membership_id=role.pk, now=now)

    with pytest.raises(NotYourEvent):
        scheduling.change(event_id=event.pk, caller=Caller(grace), fields={"title": "x"}, now=now)


# ── Handing over ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def handed_over(owner: User, event: Event, grace: User, now: Any) -> Any:
    def hand_over() -> Event:
        offered = team.offer_handover(caller=Caller(owner), event_id=event.pk, email=ELSEWHERE, now=now)
        accept(grace, offered, now)
        event.refresh_from_db()
        return event

    return hand_over


def test_who_accepts_an_event_owns_it_and_the_old_owner_manages_it(handed_over, owner, grace):
    event = handed_over()

    assert (event.organizer, roles.role_of(owner.pk, event)) == (grace, "manager")
    assert (kinds(owner.email), kinds(ELSEWHERE)) == (
        ["handover_accepted"],
        ["handover_invitation", "event_handed_over"],
    )


def test_who_helped_goes_on_helping_after_a_handover(invited, handed_over, make_user, now):
    here, everywhere = (make_user(email=f"{name}@example.net", email_verified=True) for name in ("here", "everywhere"))
    accept(here, invited("door", email=here.email), now)
    accept(everywhere, invited("manager", everywhere=True, email=everywhere.email), now)

    event = handed_over()

    assert [roles.role_of(each.pk, event) for each in (here, everywhere)] == ["door", "manager"]


def test_an_event_is_offered_to_one_at_a_time_and_not_to_its_owner(owner, event, now):
    offer = {"caller": Caller(owner), "event_id": event.pk, "now": now}
    with pytest.raises(team.OwnerStays):
        team.offer_handover(**offer, email=owner.email)
    team.offer_handover(**offer, email=ELSEWHERE)

    with pytest.raises(team.HandoverOpen):
        team.offer_handover(**offer, email="other@example.net")


def test_an_offer_from_before_another_handover_is_void(owner, event, grace, make_user, now):
    other = make_user(email="other@example.net", email_verified=True)
    asked = team.invite(caller=Caller(owner), event_id=event.pk, email=other.email, role="manager", now=now)
    Event.objects.filter(pk=event.pk).update(organizer=grace)  # as a handover that did not take it along

    with pytest.raises(links.BadToken):
        accept(other, asked, now)


@pytest.mark.parametrize("managers", [0, 2])
def test_who_closes_the_account_hands_events_to_the_longest_serving_manager(
    owner, event, make_user, register, managers, now
):
    helpers = [make_user() for _ in range(managers)]
    for days, helper in enumerate(helpers):
        since = now - timedelta(days=days)
        Membership.objects.create(owner=owner, event=event, member=helper, role="manager", since=since)
    registration = register(event)

    account_closing.close(user=owner, password="correct-horse-9", now=now)

    event.refresh_from_db(), registration.refresh_from_db()
    if managers:
        assert (event.organizer, event.status, registration.status) == (helpers[1], "published", "confirmed")
        assert (kinds(helpers[1].email), kinds(helpers[0].email)) == (["event_handed_over"], [])
    else:
        assert (event.status, registration.status) == ("cancelled", "cancelled")


def test_a_closed_account_is_in_no_team_and_no_invitation(invited, owner, event, grace, now):
    accept(grace, invited(), now)
    invited("door", email="grace@example.org")
    User.objects.filter(pk=grace.pk).update(email="grace@example.org")
    grace.refresh_from_db()

    account_closing.close(user=grace, password="correct-horse-9", now=now)

    assert not Membership.objects.exists()
    assert not Invitation.objects.filter(email="grace@example.org").exists()


# ── What clients read ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_plain_lists_show_ones_own_drafts_and_roles_those_one_helps_with(
    invited, owner, grace, make_event, signed_in, now
):
    accept(grace, invited("manager", everywhere=True), now)
    draft, own = make_event(organizer=owner, status="draft"), make_event(organizer=grace, status="draft")
    client = signed_in(grace)

    def found(query: str) -> set[int]:
        return {row["id"] for row in client.get(f"/events/?status=draft{query}").json()["results"]}

    assert found("") == {own.pk}
    assert found("&role=manager") == {draft.pk}
    assert found("&role=any") == {draft.pk, own.pk}
    assert found("&role=owner") == {own.pk}
    assert found("&role=door") == set()
    assert client.get(f"/events/{draft.pk}/").status_code == 200


def test_nobody_has_no_role(api, event):
    assert api.get("/events/?role=any").json()["results"] == []


def test_both_sides_see_what_is_open(invited, owner, event, grace, signed_in, now):
    invitation = invited("door")

    of_event = signed_in(owner).get(f"/events/{event.pk}/invitations/").json()["results"]
    of_grace = signed_in(grace).get("/invitations/").json()["results"]

    assert of_event == of_grace
    assert [row["id"] for row in of_grace] == [invitation.pk]


def test_an_unverified_address_sees_no_invitation(invited, make_user, signed_in):
    invited("door")

    assert signed_in(make_user(email=ELSEWHERE)).get("/invitations/").json()["results"] == []


@pytest.mark.parametrize("guests", [1, 5])
def test_the_team_is_one_query(owner, event, make_user, signed_in, now, django_assert_num_queries, guests):
    for _ in range(guests):
        Membership.objects.create(owner=owner, event=event, member=make_user(), role="door", since=now)
    client = signed_in(owner)

    with django_assert_num_queries(2):  # the event, the team
        assert len(client.get(f"/events/{event.pk}/team/").json()["results"]) == guests


# ── What happened ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_changes_of_the_team_are_facts(invited, owner, event, grace, now):
    accept(grace, invited("door"), now)
    [role] = Membership.objects.all()
    team.change_role(caller=Caller(owner), event_id=event.pk, membership_id=role.pk, role="manager", now=now)
    team.remove(caller=Caller(grace), event_id=event.pk, membership_id=role.pk, now=now)

    told = Fact.objects.filter(type="team.changed").values_list("actor_kind", "actor_id", "before", "after")
    assert list(told) == [
        ("door", grace.pk, None, {"role": "door", "member": grace.pk}),
        ("owner", owner.pk, {"role": "door", "member": grace.pk}, {"role": "manager", "member": grace.pk}),
        ("manager", grace.pk, {"role": "manager", "member": grace.pk}, None),
    ]


def test_a_handover_is_a_fact_by_the_new_owner(handed_over, owner, grace):
    event = handed_over()

    [fact] = Fact.objects.filter(type="event.handed_over")
    assert (fact.actor_kind, fact.actor_id, fact.before, fact.after) == (
        "owner", grace.pk, {"organizer": owner.pk}, {"organizer": grace.pk},
    )  # fmt: skip
    assert fact.event_id == event.pk


def test_invitations_are_forgotten_a_month_after_they_end(invited, now):
    invited()
    team.prune(now + timedelta(days=36))
    assert Invitation.objects.exists()

    team.prune(now + timedelta(days=38))

    assert not Invitation.objects.exists()
