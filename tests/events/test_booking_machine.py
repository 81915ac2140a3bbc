"""Drives the public verbs with many people against a simple model; after each step both must agree."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from jointoit.accounts.callers import SERVICE, Caller
from jointoit.accounts.models import User
from jointoit.errors import DomainError
from jointoit.events import booking, scheduling
from jointoit.events.invariants import violations
from jointoit.events.models import Event, Registration

PEOPLE = 6
people = st.integers(0, PEOPLE - 1)
capacities = st.one_of(st.none(), st.integers(1, 4))


class Model:
    """The house rules in the fewest words: who sits, who waits in which order, who awaits the organizer."""

    def __init__(self, capacity: int | None, *, waitlist: bool, approval: bool) -> None:
        self.capacity, self.waitlist, self.approval = capacity, waitlist, approval
        self.seated: set[int] = set()
        self.queue: list[int] = []
        self.pending: set[int] = set()
        self.over = False

    @property
    def full(self) -> bool:
        return self.capacity is not None and len(self.seated) >= self.capacity

    def seat(self, person: int) -> str:
        if not self.full:
            self.seated.add(person)
            return "confirmed"
        if self.waitlist:
            self.queue.append(person)
            return "waitlisted"
        return "event_full"

    def register(self, person: int) -> str:
        if self.over:
            return "event_cancelled"
        if person in self.seated | self.pending | set(self.queue):
            return "already_registered"
        if self.approval:
            self.pending.add(person)
            return "pending"
        return self.seat(person)

    def approve(self, person: int) -> str:
        answer = self.seat(person)
        if answer != "event_full":
            self.pending.discard(person)
        return answer

    def leave(self, person: int) -> None:
        self.seated.discard(person)
        self.pending.discard(person)
        self.queue = [waiting for waiting in self.queue if waiting != person]
        self.fill()

    def fill(self) -> None:
        while self.queue and not self.full:
            self.seated.add(self.queue.pop(0))

    def end(self) -> None:
        self.over, self.seated, self.queue, self.pending = True, set(), [], set()


class Booking(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = timezone.now()
        self.example = transaction.atomic()
        self.example.__enter__()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.example.__exit__(None, None, None)

    @initialize(capacity=capacities, waitlist=st.booleans(), approval=st.booleans())
    def an_event(self, capacity: int | None, waitlist: bool, approval: bool) -> None:
        self.people = [User.objects.create(username=f"p{n}", email=f"p{n}@example.org") for n in range(PEOPLE)]
        self.organizer = User.objects.create(username="organizer", email="o@example.org")
        self.model = Model(capacity, waitlist=waitlist, approval=approval)
        fields = {"title": "t", "location": "l", "date": self.now + timedelta(days=1), "capacity": capacity}
        fields |= {"waitlist": waitlist, "requires_approval": approval}
        self.event = scheduling.create(organizer=self.organizer, now=self.now, fields=fields)

    def live(self, person: int) -> Registration | None:
        return self.event.registrations.live().filter(attendee=self.people[person]).first()

    def answer(self, verb: Any, **arguments: Any) -> str:
        """What a verb says: the status afterwards, or the code of the refusal."""
        try:
            result = verb(now=self.now, **arguments)
        except DomainError as refusal:
            return refusal.code
        if isinstance(result, Registration):
            return result.status
        return Registration.objects.get(pk=arguments["registration_id"]).status

    @rule(person=people)
    def asks(self, person: int) -> None:
        said = self.answer(booking.register, event_id=self.event.pk, attendee=self.people[person])
        assert said == self.model.register(person)

    @rule(person=people, by_organizer=st.booleans())
    def is_cancelled(self, person: int, by_organizer: bool) -> None:
        if registration := self.live(person):
            actor = self.organizer if by_organizer else self.people[person]
            step = {"registration_id": registration.pk, "caller": Caller(actor), "status": "cancelled"}
            assert self.answer(booking.set_status, **step) == "cancelled"
            self.model.leave(person)

    @rule(person=people)
    def is_approved(self, person: int) -> None:
        if person in self.model.pending:
            registration = self.live(person)
            assert registration is not None
            step = {"registration_id": registration.pk, "caller": Caller(self.organizer), "status": "confirmed"}
            assert self.answer(booking.set_status, **step) == self.model.approve(person)

    @rule(person=people)
    def closes_the_account(self, person: int) -> None:
        booking.leave_all(attendee=self.people[person], now=self.now)
        self.model.leave(person)

    @precondition(lambda self: not self.model.over)
    @rule(capacity=capacities)
    def changes_capacity(self, capacity: int | None) -> None:
        change = partial(
            scheduling.change, event_id=self.event.pk, caller=SERVICE, fields={"capacity": capacity}, now=self.now
        )
        if capacity is not None and capacity < len(self.model.seated):
            with pytest.raises(scheduling.CapacityBelowConfirmed):
                change()
        else:
            change()
            self.model.capacity = capacity
            self.model.fill()

    @precondition(lambda self: not self.model.over)
    @rule(waitlist=st.booleans(), approval=st.booleans())
    def changes_the_rules(self, waitlist: bool, approval: bool) -> None:
        fields = {"waitlist": waitlist, "requires_approval": approval}
        scheduling.change(event_id=self.event.pk, caller=SERVICE, fields=fields, now=self.now)
        self.model.waitlist, self.model.approval = waitlist, approval

    @precondition(lambda self: len(self.model.seated) > 2)
    @rule()
    def is_called_off(self) -> None:
        scheduling.cancel(event_id=self.event.pk, caller=SERVICE, now=self.now)
        self.model.end()

    @invariant()
    def both_agree(self) -> None:
        if not hasattr(self, "event"):
            return
        event = Event.objects.get(pk=self.event.pk)
        by_status: dict[str, list[int]] = {"confirmed": [], "pending": [], "waitlisted": []}
        for status, attendee in event.registrations.live().order_by("queue_number").values_list("status", "attendee"):
            by_status[status].append([person.pk for person in self.people].index(attendee))
        assert set(by_status["confirmed"]) == self.model.seated
        assert set(by_status["pending"]) == self.model.pending
        assert by_status["waitlisted"] == self.model.queue
        assert (event.seats_taken, event.waiting) == (len(self.model.seated), len(self.model.queue))
        assert list(violations(now=self.now)) == []


@pytest.mark.django_db
def test_the_verbs_agree_with_the_model_after_every_step():
    run_state_machine_as_test(
        Booking,
        settings=settings(
            max_examples=30,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
