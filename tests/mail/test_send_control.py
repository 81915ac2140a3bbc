from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from jointoit.mail import claims, delivery, marks, send_control
from jointoit.mail.models import OutboxMail, SendControl
from jointoit.mail.policy import GIVE_UP_AFTER
from jointoit.mail.send_control import Permit
from jointoit.process.breaker import Breaker
from tests.mail.conftest import Clock
from tests.mail.sink import Sink

State = OutboxMail.State
pytestmark = pytest.mark.django_db


def test_held_mail_goes_out_when_it_is_released(
    promise: Callable[..., OutboxMail], deliver: Callable[[], bool], sink: Sink, clock: Clock
) -> None:
    promise()
    send_control.hold(because="Restored.", now=clock.now)
    deliver()
    assert sink.received == []

    send_control.release(now=clock.now)
    deliver()

    assert len(sink.received) == 1


#: What changes of the place: another server, another database, a time line that begins, tables made anew.
PARTS = {"server": 0, "database": 1, "time line": 2, "table": 3, "row": 4}


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS.keys())
def test_a_restored_copy_holds_all_mail_until_an_operator_releases_it(clock: Clock, part: int) -> None:
    send_control.permit(batch=10, now=clock.now)
    words = SendControl.objects.get().place.split("/")
    assert len(words) == len(PARTS)
    SendControl.objects.update(place="/".join([*words[:part], "1", *words[part + 1 :]]))

    assert [send_control.permit(batch=10, now=clock.now) for _ in range(2)] == [Permit(0), Permit(0)]
    assert send_control.current(now=clock.now).held_because == send_control.RESTORED

    send_control.release(now=clock.now)
    assert send_control.permit(batch=10, now=clock.now) == Permit(10)


def put_back(clock: Clock) -> None:
    """Have one batch claimed, and then forgotten by the database, as by files of before."""
    assert len(claims.claim(limit=1, now=clock.now)) == 1
    SendControl.objects.update(claims=F("claims") - 1)


@pytest.mark.parametrize("who", ["Redis", "a sender"])
def test_files_put_back_are_noticed_where_anybody_remembers(
    promise: Callable[..., OutboxMail], clock: Clock, who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    promise()
    send_control.permit(batch=10, now=clock.now)
    put_back(clock)
    if who == "Redis":
        marks.seen.clear()
    else:
        monkeypatch.setattr(marks, "KEY", "an empty one")

    assert send_control.permit(batch=10, now=clock.now) == Permit(0)
    assert send_control.current(now=clock.now).held_because == send_control.PUT_BACK
    send_control.release(now=clock.now)
    assert send_control.permit(batch=10, now=clock.now) == Permit(10)


def test_files_put_back_are_not_noticed_where_nobody_remembers(
    promise: Callable[..., OutboxMail], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: an operator has to hold the mail, see docs/operations.md."""
    promise()
    send_control.permit(batch=10, now=clock.now)
    put_back(clock)
    marks.seen.clear()
    monkeypatch.setattr(marks, "KEY", "an empty one")

    assert send_control.permit(batch=10, now=clock.now) == Permit(10)


def test_a_batch_that_another_sender_claims_meanwhile_holds_nothing(
    promise: Callable[..., OutboxMail], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def after_a_claim(place: str) -> int:
        assert len(claims.claim(limit=1, now=clock.now)) == 1
        return highest(place)

    promise()
    send_control.permit(batch=10, now=clock.now)
    highest = marks.highest
    monkeypatch.setattr(marks, "highest", after_a_claim)

    assert send_control.permit(batch=10, now=clock.now) == Permit(10)


def test_without_redis_a_sender_remembers_and_goes_on(
    promise: Callable[..., OutboxMail], clock: Clock, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(marks, "breaker", Breaker())
    promise()
    looks = [send_control.permit(batch=10, now=clock.now) for _ in range(5)]
    put_back(clock)

    assert looks == [Permit(10)] * 5
    assert send_control.permit(batch=10, now=clock.now) == Permit(0)


def test_who_looks_for_mail_says_so_every_ten_seconds(clock: Clock) -> None:
    send_control.permit(batch=10, now=clock.now)
    seen = SendControl.objects.get().looked_at
    clock.pass_by(seconds=9)
    send_control.permit(batch=10, now=clock.now)
    assert SendControl.objects.get().looked_at == seen

    clock.pass_by(seconds=1)
    send_control.permit(batch=10, now=clock.now)
    assert SendControl.objects.get().looked_at == clock.now


def test_what_was_held_longer_than_five_days_still_gets_its_tries(
    promise: Callable[..., OutboxMail], clock: Clock
) -> None:
    mail = promise()
    send_control.hold(because="Restored.", now=clock.now)
    clock.pass_by(days=9)
    delivery.retire(clock.now)
    send_control.release(now=clock.now)

    mail.refresh_from_db()
    assert (mail.state, mail.give_up_at) == (State.PENDING, clock.now + GIVE_UP_AFTER)


def test_through_five_days_without_a_server_mail_is_given_up_and_reminders_expire(
    promise: Callable[..., OutboxMail], clock: Clock
) -> None:
    promise("old"), promise("reminder", expires_at=clock.now + timedelta(days=1))
    clock.pass_by(days=5, seconds=1)
    promise("later", not_before=clock.now + timedelta(days=1))
    delivery.retire(clock.now)

    states = dict(OutboxMail.objects.values_list("dedupe_key", "state"))
    assert states == {"test:old": State.DEAD, "test:reminder": State.EXPIRED, "test:later": State.PENDING}


def test_a_mail_given_up_without_a_try_says_what_kept_it(promise: Callable[..., OutboxMail], clock: Clock) -> None:
    tried, untried = promise("tried"), promise("untried")
    OutboxMail.objects.filter(pk=tried.pk).update(last_answer="450 Later")
    send_control.current(now=clock.now)
    send_control.trip(answer="421 Closed", now=clock.now)
    clock.pass_by(days=5, seconds=1)
    delivery.retire(clock.now)

    answers = dict(OutboxMail.objects.values_list("pk", "last_answer"))
    assert answers == {tried.pk: "Gave up. 450 Later", untried.pk: "Gave up. 421 Closed"}


def test_a_probe_is_given_to_one_sender_a_minute_and_only_where_mail_is_due(
    promise: Callable[..., OutboxMail], clock: Clock
) -> None:
    send_control.current(now=clock.now)
    send_control.trip(answer="421", now=clock.now)
    clock.pass_by(minutes=1)
    assert send_control.permit(batch=10, now=clock.now) == Permit(0)

    promise()
    permits = [send_control.permit(batch=10, now=clock.now) for _ in range(3)]

    assert permits == [Permit(1, is_probe=True), Permit(0), Permit(0)]


def test_the_breaker_is_closed_once() -> None:
    send_control.make()
    send_control.trip(answer="421", now=timezone.now())
    for _ in range(2):
        send_control.recover()

    assert list(SendControl.objects.values_list("down_since", "down_answer", "probe_at")) == [(None, "", None)]
    assert str(SendControl.objects.get()) == "send control"


def test_the_rate_gives_each_mail_a_slot_of_its_own(settings: Any, clock: Clock) -> None:
    settings.MAIL_RATE = "2"
    send_control.current(now=clock.now)
    slots = [send_control.turn(now=clock.now) for _ in range(6)]

    assert slots == [clock.now + timedelta(seconds=half / 2) for half in range(5)] + [None]


def test_the_rate_counts_no_time_that_has_passed(settings: Any, clock: Clock) -> None:
    settings.MAIL_RATE = "10"
    send_control.current(now=clock.now)
    send_control.turn(now=clock.now)
    clock.pass_by(hours=1)

    assert [send_control.turn(now=clock.now) for _ in range(2)] == [clock.now, clock.now + timedelta(milliseconds=100)]


def test_a_mail_whose_turn_is_far_away_is_put_back(
    promise: Callable[..., OutboxMail], deliver: Callable[[], bool], sink: Sink, settings: Any, clock: Clock
) -> None:
    settings.MAIL_RATE = "0.1"
    promise("first"), promise("second")
    deliver()

    assert (len(sink.received), OutboxMail.objects.filter(state=State.PENDING, claim=None).count()) == (1, 1)
    clock.pass_by(seconds=10)
    deliver()
    assert len(sink.received) == 2


def test_old_mails_are_forgotten_but_not_that_they_were_sent(promise: Callable[..., OutboxMail], clock: Clock) -> None:
    mail = promise()
    OutboxMail.objects.update(state=State.SENT, settled_at=timezone.now())
    claims.scrub(now=clock.now + timedelta(days=89))
    mail.refresh_from_db()
    assert mail.recipient == "ada@example.org"

    claims.scrub(now=clock.now + timedelta(days=91))
    mail.refresh_from_db()

    assert (mail.recipient, mail.payload, mail.state, mail.dedupe_key) == ("", {}, State.SENT, "test:ada")
