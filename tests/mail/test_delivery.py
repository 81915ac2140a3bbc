"""A real mail server that misbehaves, and what becomes of each mail."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from jointoit.mail import delivery
from jointoit.mail.messages import EventReminder, PasswordReset
from jointoit.mail.models import OutboxMail, SendControl
from tests.mail.conftest import Clock
from tests.mail.samples import ADA, sample
from tests.mail.sink import DROP, HANG, Sink

State = OutboxMail.State
Promise = Callable[..., OutboxMail]
Deliver = Callable[[], bool]


@pytest.fixture(autouse=True, params=[True, False], ids=["pipelining", "one by one"])
def _any_server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether MAIL, RCPT and DATA may be said at once."""
    begin = Sink.__init__

    def offering(sink: Sink) -> None:
        begin(sink)
        sink.pipelining = request.param

    monkeypatch.setattr(Sink, "__init__", offering)


def outcome(mail: OutboxMail) -> tuple[str, int, str]:
    mail.refresh_from_db()
    return mail.state, mail.attempt, mail.last_answer


def breaker_is_open() -> bool:
    return SendControl.objects.filter(down_since__isnull=False).exists()


def test_a_promised_mail_arrives_once(promise: Promise, deliver: Deliver, sink: Sink) -> None:
    mail = promise("ada")
    deliver(), deliver()

    assert (sink.recipients, outcome(mail)) == (["ada@example.org"], (State.SENT, 1, "accepted"))
    assert sink.received[0]["Message-ID"] == mail.message_id


def test_many_mails_share_one_connection(promise: Promise, deliver: Deliver, sink: Sink) -> None:
    for number in range(25):
        promise(f"n{number}")
    deliver()

    assert (len(sink.received), sink.connections) == (25, 1)


def test_urgent_mail_goes_first_and_then_who_waited_longest(
    promise: Promise, deliver: Deliver, sink: Sink, clock: Clock
) -> None:
    promise("bulk", sample(EventReminder, to=ADA), not_before=clock.now - timedelta(hours=3))
    promise("second", not_before=clock.now - timedelta(hours=1))
    promise("first", not_before=clock.now - timedelta(hours=2))
    promise("urgent", sample(PasswordReset))
    promise("tomorrow", not_before=clock.now + timedelta(days=1))
    OutboxMail.objects.filter(dedupe_key__in=["test:first", "test:second"]).update(priority=5)
    deliver()

    assert sink.recipients == ["ada@example.org", "first@example.org", "second@example.org", "ada@example.org"]
    assert [str(subject)[:6] for subject in sink.subjects] == ["Choose", "Your p", "Your p", "Remind"]


def test_what_comes_too_late_to_be_of_use_is_not_sent(
    promise: Promise, deliver: Deliver, sink: Sink, clock: Clock
) -> None:
    mail = promise(expires_at=clock.now + timedelta(hours=1))
    clock.pass_by(hours=1)
    deliver()

    assert (sink.received, outcome(mail)) == ([], (State.EXPIRED, 0, ""))


@pytest.mark.parametrize("command", ["RCPT", "DATA"])
def test_a_mail_that_is_refused_for_good_is_dead_and_says_why(
    command: str, promise: Promise, deliver: Deliver, sink: Sink
) -> None:
    sink.says[command].append("550 5.1.1 No such user")
    refused, other = promise("refused"), promise("other")
    deliver()

    assert outcome(refused) == (State.DEAD, 1, "550 5.1.1 No such user")
    assert (outcome(other)[0], breaker_is_open()) == (State.SENT, False)


@pytest.mark.parametrize("answer", ["450 Try later", "451 Greylisted", "452 Disk full", "552 Mailbox full"])
def test_a_mail_that_is_refused_for_now_comes_again(
    answer: str, promise: Promise, deliver: Deliver, sink: Sink, clock: Clock
) -> None:
    sink.says["RCPT"].append(answer)
    mail = promise()
    deliver(), deliver()
    assert outcome(mail) == (State.PENDING, 1, answer)

    clock.pass_by(minutes=2)
    deliver()

    assert outcome(mail) == (State.SENT, 2, "accepted")


def test_a_mail_that_is_refused_for_now_delays_nobody_else(promise: Promise, deliver: Deliver, sink: Sink) -> None:
    sink.refuses["slow@example.org"] = "450 Try later"
    promise("slow"), promise("ada")
    deliver()

    assert (sink.recipients, breaker_is_open()) == (["ada@example.org"], False)


def test_after_five_days_of_refusals_a_mail_is_given_up(
    promise: Promise, deliver: Deliver, sink: Sink, clock: Clock
) -> None:
    sink.refuses["ada@example.org"] = "450 Try later"
    mail, born = promise("ada"), clock.now
    while outcome(mail)[0] == State.PENDING:
        clock.now = max(clock.now, mail.not_before)
        deliver()

    assert (mail.state, mail.last_answer, 30 < mail.attempt < 60) == (State.DEAD, "450 Try later", True)
    assert timedelta(days=4, hours=19) < clock.now - born <= timedelta(days=5)


# ── The system is ill ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("MAIL", "421 Closing"), ("RCPT", "421 Closing"), ("DATA", "421 Closing"),
        ("MAIL", "530 Log in"), ("MAIL", "550 Not you"),
    ],
)  # fmt: skip
def test_an_ill_server_takes_no_attempt_from_any_mail(
    command: str, answer: str, promise: Promise, deliver: Deliver, sink: Sink
) -> None:
    sink.says[command].append(answer)
    first, second = promise("first"), promise("second")
    deliver()

    assert (sink.received, outcome(first), outcome(second)) == (
        [], (State.PENDING, 0, answer), (State.PENDING, 0, ""),
    )  # fmt: skip
    assert breaker_is_open()


def test_a_server_that_says_nothing_opens_the_breaker(promise: Promise, deliver: Deliver, sink: Sink) -> None:
    sink.says["DATA"].append(HANG)
    mail = promise()
    deliver()

    assert (outcome(mail)[:2], breaker_is_open()) == ((State.PENDING, 0), True)


def test_a_server_that_answers_each_command_late_has_no_more_time_for_all_of_them(
    promise: Promise, deliver: Deliver, sink: Sink, settings: Any
) -> None:
    """Each answer comes in time; sender, recipient, text and goodbye together take four times the time of one."""
    settings.EMAIL_TIMEOUT, sink.lag = 1.0, 0.8
    mail = promise()
    deliver()

    assert (outcome(mail)[:2], breaker_is_open(), sink.received) == ((State.PENDING, 0), True, [])


@pytest.mark.usefixtures("no_server")
def test_without_a_server_one_mail_a_minute_is_tried(promise: Promise, deliver: Deliver, clock: Clock) -> None:
    for number in range(3):
        promise(f"n{number}")
    opened = []
    for _ in range(180):
        clock.pass_by(seconds=1)
        claimed = OutboxMail.objects.filter(last_answer__startswith="ConnectionRefusedError").count()
        deliver()
        opened.append(OutboxMail.objects.filter(last_answer__startswith="ConnectionRefusedError").count() - claimed)

    assert (sum(opened), OutboxMail.objects.filter(state=State.PENDING, attempt=0).count()) == (3, 3)


def test_the_first_mail_that_gets_through_closes_the_breaker(
    promise: Promise, deliver: Deliver, sink: Sink, clock: Clock
) -> None:
    sink.says["MAIL"].append("421 Closing")
    for number in range(12):
        promise(f"n{number}")
    deliver()
    clock.pass_by(seconds=59)
    deliver()
    assert len(sink.received) == 0

    clock.pass_by(seconds=1)
    deliver()

    assert (len(sink.received), breaker_is_open()) == (12, False)


def test_a_probe_that_is_refused_shows_that_the_server_is_well(
    promise: Promise, deliver: Deliver, sink: Sink, clock: Clock
) -> None:
    sink.says["MAIL"].append("421 Closing")
    promise("first"), promise("second")
    deliver()
    sink.says["RCPT"].append("550 No such user")
    clock.pass_by(minutes=1)
    deliver()

    assert (len(sink.received), breaker_is_open()) == (1, False)


def test_an_expired_probe_leaves_the_breaker_open_and_the_turn_to_the_next(
    promise: Promise, deliver: Deliver, sink: Sink, clock: Clock
) -> None:
    sink.says["MAIL"].append("421 Closing")
    promise("late", expires_at=clock.now + timedelta(seconds=30)), promise("ada")
    deliver()
    clock.pass_by(minutes=1)
    deliver()
    clock.pass_by(minutes=1)
    deliver()

    assert (sink.recipients, breaker_is_open()) == (["ada@example.org"], False)


def test_a_connection_that_was_used_enough_is_replaced_at_once(promise: Promise, deliver: Deliver, sink: Sink) -> None:
    sink.says["MAIL"].extend(["250 OK", "421 Enough for one connection"])
    for number in range(3):
        promise(f"n{number}")
    deliver()

    assert (len(sink.received), sink.connections, breaker_is_open()) == (3, 2, False)


def test_a_connection_lost_after_the_data_costs_one_duplicate_with_the_same_id(
    promise: Promise, deliver: Deliver, sink: Sink, clock: Clock
) -> None:
    sink.says["DATA"].append(DROP)
    mail = promise()
    deliver()
    assert outcome(mail)[:2] == (State.PENDING, 1)

    clock.pass_by(minutes=2)
    deliver()

    assert outcome(mail)[:2] == (State.SENT, 2)
    assert [copy["Message-ID"] for copy in sink.received] == [mail.message_id] * 2


def test_connections_lost_in_a_row_speak_against_the_server(promise: Promise, deliver: Deliver, sink: Sink) -> None:
    sink.says["DATA"].extend([DROP] * 10)
    for number in range(10):
        promise(f"n{number}")
    deliver()

    assert (sink.connections, breaker_is_open()) == (3, True)


# ── Poison ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_mail_that_cannot_be_written_dies_after_three_tries_and_delays_nobody(
    promise: Promise, deliver: Deliver, sink: Sink, clock: Clock
) -> None:
    poison, good = promise("poison"), promise("good")
    OutboxMail.objects.filter(pk=poison.pk).update(payload={"to": None})
    for _ in range(5):
        deliver()
        clock.pass_by(hours=1)

    poison.refresh_from_db()
    assert (poison.state, poison.failures, poison.attempt) == (State.DEAD, 3, 0)
    assert poison.last_answer.startswith("TypeError: ")
    assert (sink.recipients, outcome(good)[0]) == (["good@example.org"], State.SENT)


def test_a_turn_ends_and_says_that_more_waits(promise: Promise, sink: Sink) -> None:
    clock = Clock()
    for number in range(15):
        promise(f"n{number}")

    def ticking() -> Any:
        clock.pass_by(milliseconds=300)
        return clock.now

    assert delivery.deliver_due(clock=ticking) is True
    assert 0 < len(sink.received) < 15


def test_a_connection_is_replaced_before_the_server_tires_of_it(
    promise: Promise, deliver: Deliver, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "MAILS_PER_CONNECTION", 2)
    for number in range(5):
        promise(f"n{number}")
    deliver()

    assert (len(sink.received), sink.connections) == (5, 3)


def test_a_server_that_says_goodbye_badly_changes_nothing(promise: Promise, deliver: Deliver, sink: Sink) -> None:
    sink.says["QUIT"].append("221 " + "x" * 9000)  # no line may be so long
    mail = promise()
    deliver()

    assert (outcome(mail)[0], breaker_is_open(), str(mail)) == (State.SENT, False, f"password_changed {mail.pk}")
