"""Who sends: claims, their leases, and what a slow mail server does to them."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from jointoit.mail import claims, delivery
from jointoit.mail.models import OutboxMail
from jointoit.process import database_clock
from jointoit.process.leases import LEASE
from tests.mail.conftest import Clock
from tests.mail.sink import Sink

State = OutboxMail.State
Promise = Callable[..., OutboxMail]
Deliver = Callable[[], bool]


def test_a_killed_senders_mail_is_sent_again_when_its_lease_is_over(
    promise: Promise, deliver: Deliver, sink: Sink, clock: Clock
) -> None:
    promise()
    claims.claim(limit=10, now=clock.now)  # and then the power went
    deliver()
    assert sink.received == []

    clock.now += LEASE
    deliver()

    assert len(sink.received) == 1


def test_who_lost_the_claim_cannot_settle(promise: Promise, clock: Clock) -> None:
    promise()
    (slow,) = claims.claim(limit=10, now=clock.now)
    (fast,) = claims.claim(limit=10, now=clock.now + LEASE)

    assert claims.settle(slow, state=State.DEAD) is False
    assert claims.settle(fast, state=State.SENT) is True
    slow.refresh_from_db()
    assert slow.state == State.SENT


@pytest.mark.django_db(transaction=True)
def test_no_mail_is_claimed_twice(promise: Promise, clock: Clock) -> None:
    for number in range(40):
        promise(f"n{number}")
    start = threading.Barrier(4)

    def claim_all(_: int) -> list[int]:
        start.wait()
        taken = [mail.pk for _ in range(20) for mail in claims.claim(limit=3, now=clock.now)]
        connection.close()
        return taken

    with ThreadPoolExecutor(4) as pool:
        taken = [pk for pks in pool.map(claim_all, range(4)) for pk in pks]

    assert (len(taken), len(set(taken))) == (40, 40)


@pytest.mark.django_db(transaction=True)
def test_the_mail_server_is_spoken_to_with_no_transaction_open(
    promise: Promise, clock: Clock, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    promise()
    open_then: list[bool] = []
    attempt = delivery.Sender.attempt

    def watched(postman: delivery.Sender, *words: Any) -> Any:
        open_then.append(connection.in_atomic_block)
        return attempt(postman, *words)

    monkeypatch.setattr(delivery.Sender, "attempt", watched)
    delivery.deliver_due(clock=clock)

    assert (open_then, len(sink.received)) == ([False], 1)


def test_who_is_told_to_stop_finishes_the_mail_in_hand_and_puts_back_the_others(
    promise: Promise, clock: Clock, sink: Sink
) -> None:
    for number in range(3):
        promise(f"n{number}")
    delivery.deliver_due(clock=clock, stop=lambda: len(sink.received) == 1)

    assert (len(sink.received), OutboxMail.objects.filter(state=State.PENDING, claim=None).count()) == (1, 2)
    assert OutboxMail.objects.filter(state=State.PENDING, not_before__gt=clock.now).count() == 0


def test_a_mail_superseded_while_it_was_sent_counts_as_sent(promise: Promise, clock: Clock) -> None:
    promise()
    (mail,) = claims.claim(limit=1, now=clock.now)
    OutboxMail.objects.update(state=State.SUPERSEDED)
    claims.settle(mail, state=State.SENT)

    mail.refresh_from_db()
    assert mail.state == State.SENT


@pytest.fixture
def slow_greeting(sink: Sink, clock: Clock) -> Callable[[], None]:
    """Have every connection take forty seconds, and do what the test wants meanwhile."""

    def arm(meanwhile: Callable[[], object] = lambda: None) -> None:
        def late() -> None:
            clock.pass_by(seconds=40)
            meanwhile()

        sink.hooks["EHLO"] = late

    return arm


@pytest.mark.django_db(transaction=True)
def test_a_claim_is_renewed_when_connecting_took_long(
    promise: Promise, deliver: Deliver, sink: Sink, clock: Clock, slow_greeting: Callable[..., None]
) -> None:
    mail = promise()
    left: list[Any] = []

    def look() -> None:
        mail.refresh_from_db()
        assert mail.lease_until
        left.append((mail.lease_until - clock.now, mail.not_before - clock.now))
        connection.close()

    slow_greeting()
    sink.hooks["MAIL"] = look
    deliver()

    assert (left, len(sink.received)) == ([(LEASE, LEASE)], 1)


@pytest.mark.django_db(transaction=True)
def test_who_lost_the_claim_while_connecting_does_not_send(
    promise: Promise, deliver: Deliver, sink: Sink, slow_greeting: Callable[..., None]
) -> None:
    mail, thief = promise(), uuid4()

    def steal() -> None:
        OutboxMail.objects.update(claim=thief)
        connection.close()

    slow_greeting(steal)
    deliver()

    mail.refresh_from_db()
    assert (sink.received, mail.claim, mail.attempt) == ([], thief, 0)


def test_a_machine_whose_clock_is_an_hour_ahead_leaves_the_lease_of_another_alone(
    promise: Callable[..., OutboxMail], sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    promise(not_before=database_clock.now() - timedelta(seconds=1))
    assert len(claims.claim(limit=1, now=database_clock.now())) == 1
    ahead = timezone.now() + timedelta(hours=1)
    monkeypatch.setattr(timezone, "now", lambda: ahead)

    delivery.deliver_due()
    assert sink.received == []

    delivery.deliver_due(clock=timezone.now)  # the control: its own clock says that the lease is over
    assert len(sink.received) == 1
