"""A role, an invitation, an event that is handed over: each has one outcome, whoever comes at the same moment."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import OperationalError, transaction

from jointoit.accounts import account_closing
from jointoit.accounts.callers import Caller
from jointoit.accounts.models import User
from jointoit.events import booking, facts, roles, scheduling, team
from jointoit.events.models import Event, Invitation, Membership
from jointoit.journal.models import Fact
from jointoit.mail.links import BadToken
from tests.races.conftest import SCALE

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 6 * SCALE


@pytest.fixture
def grace(make_user: Callable[..., User]) -> User:
    return make_user(email="grace@example.net", email_verified=True)


def invite(event: Event, user: User, now: Any, role: str = "manager") -> Invitation:
    return team.invite(caller=Caller(event.organizer), event_id=event.pk, email=user.email, role=role, now=now)


def manages(user: User, event: Event) -> bool:
    return Membership.objects.filter(event=event, member=user).exists()


def test_an_invitation_that_eight_accept_has_one_effect(make_event, grace, race, now):
    event = make_event()
    invitation = invite(event, grace, now)

    answers = race([partial(team.accept, user=grace, invitation_id=invitation.pk, now=now)] * 8)

    assert Counter(type(answer) for answer in answers) == {Invitation: 1, BadToken: 7}
    assert Membership.objects.count() == Fact.objects.filter(type="team.changed").count() == 1


@pytest.mark.parametrize("other", ["withdraw", "delete"])
def test_whoever_comes_first_decides_about_an_invitation(make_event, grace, race, now, other):
    for _ in range(ROUNDS):
        event = make_event()
        invitation, owner = invite(event, grace, now), Caller(event.organizer)
        accept = partial(team.accept, user=grace, invitation_id=invitation.pk, now=now)
        end: Any = (
            partial(team.withdraw, caller=owner, event_id=event.pk, invitation_id=invitation.pk, now=now)
            if other == "withdraw"
            else partial(scheduling.delete, caller=owner, event_id=event.pk, now=now)
        )

        accepted, ended = race([accept, end])

        assert isinstance(accepted, Invitation) is manages(grace, event)
        if other == "withdraw":
            assert isinstance(accepted, Invitation) is not (ended is None)


def test_an_event_that_is_handed_over_while_accounts_close_has_one_living_owner(make_event, make_user, race, now):
    for number in range(ROUNDS):
        event, heir = make_event(), make_user(email=f"heir{number}@example.net", email_verified=True)
        offer = team.offer_handover(caller=Caller(event.organizer), event_id=event.pk, email=heir.email, now=now)

        def tried(call: Any) -> Any:
            try:
                return call()
            except OperationalError as error:  # two that wait for each other: the client is told to come again
                return error

        accept = partial(team.accept, user=heir, invitation_id=offer.pk, now=now)
        close = partial(account_closing.close, user=event.organizer, password="correct-horse-9", now=now)
        race([partial(tried, accept), partial(tried, close)])

        event.refresh_from_db()
        assert event.organizer.is_active or event.status == "cancelled"
        assert not Membership.objects.filter(member__is_active=False).exists()


def change(event: Event, user: User, title: str, now: Any) -> None:
    scheduling.change(event_id=event.pk, caller=Caller(user), fields={"title": title}, now=now)


def test_nothing_is_done_with_a_role_after_it_was_taken(make_event, make_user, race, now):
    for _ in range(ROUNDS):
        event, manager = make_event(), make_user()
        role = Membership.objects.create(owner=event.organizer, event=event, member=manager, role="manager", since=now)
        takes = partial(team.remove, caller=Caller(event.organizer), event_id=event.pk, membership_id=role.pk, now=now)

        race([*(partial(change, event, manager, str(number), now) for number in range(15)), takes])

        assert done_after_the_end(event, manager) == 0


def done_after_the_end(event: Event, manager: User) -> int:
    """Facts by somebody after the one that ended their role, in the order in which they became visible."""
    [end] = Fact.objects.filter(event_id=event.pk, type="team.changed")
    return Fact.objects.filter(event_id=event.pk, actor_id=manager.pk, pk__gt=end.pk).count()


def test_without_holding_the_role_something_would_be(make_event, make_user, race, now):
    """The control: the right is looked at, taken meanwhile, and then used."""
    event, manager = make_event(), make_user()
    role = Membership.objects.create(owner=event.organizer, event=event, member=manager, role="manager", since=now)

    actor = roles.manager(Caller(manager), event)
    team.remove(caller=Caller(event.organizer), event_id=event.pk, membership_id=role.pk, now=now)
    with transaction.atomic():
        held = booking.lock(event.pk)
        assert actor
        facts.record_event("changed", held, actor=actor, now=now)

    assert done_after_the_end(event, manager) == 1
