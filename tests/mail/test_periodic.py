import os
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from jointoit.mail import delivery, send_control, status, tasks
from jointoit.mail.models import OutboxMail
from jointoit.process import leases, periodic
from jointoit.process.stopping import Stop
from tests.mail.conftest import Clock
from tests.mail.sink import Sink

State = OutboxMail.State
Promise = Callable[..., OutboxMail]


@pytest.fixture(autouse=True)
def _own_chores(monkeypatch: pytest.MonkeyPatch) -> None:
    own = [replace(chore, due=None) for chore in periodic.chores if chore.every == timedelta(0)]  # the mail
    monkeypatch.setattr(periodic, "chores", own)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_sweeper_sends_without_a_bell_and_stops_when_told(number: int, promise: Promise, sink: Sink) -> None:
    """The signal comes while a mail is in hand, which is finished."""
    promise("first"), promise("second")
    sink.hooks["DATA"] = lambda: os.kill(os.getpid(), number)
    call_command("sweep")

    assert (sink.recipients, OutboxMail.objects.filter(claim=None).count()) == (["first@example.org"], 2)


@pytest.mark.django_db
def test_a_ring_sends_what_is_due(promise: Promise, sink: Sink) -> None:
    promise()
    tasks.deliver_due()

    assert len(sink.received) == 1


@pytest.mark.django_db
def test_a_worker_whose_turn_ends_rings_for_the_next(
    promise: Promise, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    rings: list[int] = []
    monkeypatch.setattr(tasks.notification, "send", lambda: rings.append(1))
    monkeypatch.setattr(delivery, "TURN", timedelta(0))
    promise()
    tasks.deliver_due()

    assert rings == [1]


def test_a_signal_does_afterwards_what_it_would_have_done() -> None:
    received: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: received.append(number))
    try:
        with Stop() as stop:
            os.kill(os.getpid(), signal.SIGTERM)
            assert (stop(), received) == (True, [])
    finally:
        signal.signal(signal.SIGTERM, before)

    assert received == [signal.SIGTERM]


def test_outside_the_main_thread_nobody_is_told_to_stop() -> None:
    answers: list[bool] = []

    def work() -> None:
        with Stop() as stop:
            answers.append(stop())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    assert answers == [False]


@pytest.mark.django_db
def test_a_chore_is_done_as_often_as_was_agreed(now: datetime) -> None:
    done: list[datetime] = []
    periodic.register(done.append, every=timedelta(minutes=1))
    moments = [now + timedelta(seconds=30) * n for n in range(5)]
    for moment in moments:
        periodic.run_due(now=moment)

    assert done == [moments[0], moments[2], moments[4]]


@pytest.mark.django_db
def test_a_chore_that_fails_stops_neither_the_others_nor_the_mail(promise: Promise, sink: Sink, now: datetime) -> None:
    done: list[datetime] = []
    periodic.register(lambda _: 1 / 0)
    periodic.register(done.append)
    promise()
    periodic.run_due(now=now)

    assert (done, len(sink.received)) == ([now], 1)


@pytest.mark.django_db(transaction=True)
def test_the_sweeper_outlives_a_restart_of_the_database(promise: Promise, sink: Sink, now: datetime) -> None:
    promise()
    periodic.register(lose_the_connection)
    periodic.run_due(now=now)
    periodic.run_due(now=now)

    assert len(sink.received) == 1


def lose_the_connection(_: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_what_became_of_a_mail_is_written_down_though_the_database_restarts(error: type[Exception]) -> None:
    answers: list[Any] = [error("restarting"), error("starting up"), 1]

    def write() -> int:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return int(answer)

    assert (leases.persistently(write), answers) == (1, [])


@pytest.mark.django_db(transaction=True)
def test_a_database_that_stays_away_is_an_error_at_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "PATIENCE", 0.3)

    def write() -> int:
        raise OperationalError("gone")

    with pytest.raises(OperationalError):
        leases.persistently(write)


@pytest.mark.django_db
def test_the_status_names_states_the_oldest_mail_and_the_breaker(promise: Promise, clock: Clock) -> None:
    (
        promise("late", not_before=timezone.now() - timedelta(minutes=10)),
        promise("soon", not_before=clock.now + timedelta(1)),
    )
    send_control.hold(because="Restored.", now=clock.now)
    send_control.trip(answer="421 Closing", now=clock.now)
    out = StringIO()
    call_command("mail", "status", stdout=out)
    lines = [" ".join(line.split()) for line in out.getvalue().splitlines()]

    assert lines[:5] == ["pending 2", "sent 0", "dead 0", "expired 0", "superseded 0"]
    assert 600 <= float(lines[5].removeprefix("oldest due").removesuffix("s")) < 900
    assert lines[6:] == ["held: Restored.", f"breaker: open since {clock.now.isoformat()}: 421 Closing"]


@pytest.mark.django_db
def test_the_health_page_learns_how_late_mail_is_and_what_keeps_it(promise: Promise, clock: Clock) -> None:
    calm = status.probe(now=clock.now)
    promise(not_before=clock.now)
    send_control.hold(because="Restored.", now=clock.now)
    send_control.trip(answer="421 Closing", now=clock.now)

    assert calm == {
        "status": "degraded", "sender_seen_seconds": None,  # nobody has ever looked for mail
        "queue_age_seconds": 0.0, "held": False, "breaker": "closed",
    }  # fmt: skip
    assert status.probe(now=clock.now + timedelta(minutes=2)) == {
        "status": "degraded", "sender_seen_seconds": None,
        "queue_age_seconds": 120.0, "held": True, "breaker": "open",
    }  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize(("seconds", "told"), [(30, "ok"), (61, "degraded")])
def test_the_health_page_learns_when_nobody_delivers_any_more(clock: Clock, seconds: int, told: str) -> None:
    send_control.permit(batch=1, now=clock.now)

    found = status.probe(now=clock.now + timedelta(seconds=seconds))
    assert (found["status"], found["sender_seen_seconds"]) == (told, seconds)


@pytest.mark.django_db
def test_the_status_of_an_empty_outbox_is_calm() -> None:
    out = StringIO()
    call_command("mail", "status", stdout=out)

    assert out.getvalue().splitlines()[5:] == ["oldest due         0.0 s", "held: no", "breaker: closed"]
