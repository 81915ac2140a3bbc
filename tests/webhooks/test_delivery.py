"""A message from the fact to the receiver, and what comes of each way to answer."""

import gzip
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import transaction
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from jointoit.accounts.callers import Caller
from jointoit.events import scheduling, team
from jointoit.events.models import Membership
from jointoit.journal.writer import SYSTEM, fact, record
from jointoit.mail import send_control
from jointoit.mail.models import OutboxMail
from jointoit.webhooks import claims, health, sending, subscriptions
from jointoit.webhooks.delivery import Dispatcher
from jointoit.webhooks.fan_out import fan_out
from jointoit.webhooks.models import Message, Webhook
from tests.webhooks.receiver import drips, floods, hangs, says

pytestmark = pytest.mark.django_db(transaction=True)


def states(*names):
    return list(Message.objects.order_by("pk").values_list("state", *names))


@pytest.fixture
def event(make_event):
    return make_event()


@pytest.fixture
def told(event, now):
    """Have facts happen to the event."""

    def told(number=1):
        with transaction.atomic():
            record(fact("event.changed", actor=SYSTEM, event_id=event.pk, at=now) for _ in range(number))

    return told


def test_a_registration_is_sent_as_the_feed_has_it(event, register, receiver, subscribe, deliver, signed_in):
    sink = receiver()
    subscribe(event.organizer, sink.url)
    registration = register(event)

    deliver()

    [received] = sink.received
    [in_feed] = signed_in(event.organizer).get("/feed/").json()["results"]
    assert received.message == {"type": "registration.confirmed", "timestamp": in_feed["at"], "data": in_feed}
    assert in_feed["registration"] == registration.pk
    assert (received.path, received.headers["content-type"]) == ("/hooks", "application/json")
    assert states("attempt", "status") == [("sent", 1, 204)]


def test_each_webhook_gets_what_it_asked_for_of_what_its_owner_manages(
    event, make_event, make_user, register, receiver, subscribe, deliver, now
):
    sink, helper = receiver(), make_user()
    other = make_event(organizer=event.organizer)
    Membership.objects.create(owner=event.organizer, event=event, member=helper, role="manager", since=now)
    Membership.objects.create(owner=event.organizer, event=other, member=helper, role="door", since=now)
    wanted = {
        "all": subscribe(event.organizer, sink.url),
        "type": subscribe(event.organizer, sink.url, types=["event.changed"]),
        "event": subscribe(event.organizer, sink.url, events=[other.pk]),
        "helper": subscribe(helper, sink.url),
        "stranger": subscribe(make_user(), sink.url),
    }
    for place in (event, other):
        register(place)

    deliver()

    sent = {
        name: list(each.messages.order_by("pk").values_list("event_id", flat=True)) for name, each in wanted.items()
    }
    assert sent == {
        "all": [event.pk, other.pk], "type": [], "event": [other.pk], "helper": [event.pk], "stranger": [],
    }  # fmt: skip
    assert len(sink.received) == 4


def test_what_is_rolled_back_is_never_sent(event, receiver, subscribe, deliver, now):
    sink = receiver()
    subscribe(event.organizer, sink.url)
    with transaction.atomic():
        record([fact("event.changed", actor=SYSTEM, event_id=event.pk, at=now)])
        transaction.set_rollback(True)

    deliver()

    assert (sink.received, states()) == ([], [])


def test_what_happened_before_a_webhook_is_not_sent(event, told, receiver, subscribe, deliver):
    told()
    sink = receiver()
    deliver()
    subscribe(event.organizer, sink.url)

    deliver()

    assert sink.received == []


def test_a_manager_who_is_removed_hears_nothing_more_not_even_what_waits(
    event, told, make_user, receiver, subscribe, deliver, clock, now
):
    sink, helper = receiver(says(500)), make_user()
    role = Membership.objects.create(owner=event.organizer, event=event, member=helper, role="manager", since=now)
    subscribe(helper, sink.url)
    told()
    deliver()
    team.remove(caller=Caller(event.organizer), event_id=event.pk, membership_id=role.pk, now=now)
    told()
    clock.skip(hours=1)

    deliver()

    assert len(sink.received) == 1
    assert states() == [("withdrawn",)]


# ── Signatures ──


def verified(secret, received):
    try:
        Verifier(secret).verify(received.body, received.headers)
    except WebhookVerificationError:
        return False
    return True


def test_before_in_and_after_a_rotation_the_right_secrets_verify(event, told, receiver, subscribe, deliver, clock, now):
    sink = receiver()
    webhook = subscribe(event.organizer, sink.url)
    secrets = [webhook.secret]
    told()
    deliver()
    secrets.append(subscriptions.rotate(caller=Caller(event.organizer), webhook_id=webhook.pk, now=now)[1])
    told()
    deliver()
    Webhook.objects.update(previous_until=now - timedelta(seconds=1))
    told()
    deliver()

    assert [[verified(secret, each) for secret in secrets] for each in sink.received] == [
        [True, False], [True, True], [False, True],
    ]  # fmt: skip
    assert not verified(secrets[0], replace(sink.received[0], body=b"{}"))


# ── What comes of an answer ──


@pytest.mark.parametrize("status", [200, 204, 299])
def test_2xx_is_done(event, told, receiver, subscribe, deliver, status):
    subscribe(event.organizer, receiver(says(status)).url)
    told()
    deliver()

    assert states("attempt", "status") == [("sent", 1, status)]
    assert Webhook.objects.get().last_success_at is not None


@pytest.mark.parametrize("status", [301, 307, 400, 404, 429, 500, 503])
def test_everything_else_is_tried_again_later(event, told, receiver, subscribe, deliver, clock, status):
    sink, elsewhere = receiver(), receiver()
    sink.answer = says(status, b"no\0thanks", location=elsewhere.url)
    subscribe(event.organizer, sink.url)
    told()
    deliver()
    tried = states("attempt", "status", "answer")
    clock.skip(seconds=20)
    sink.answer = says(200)
    deliver()

    assert tried == [("pending", 1, status, "no thanks")]
    assert states("attempt", "status") == [("sent", 2, 200)]
    assert {each.id for each in sink.received} == {str(Message.objects.get())}
    assert elsewhere.accepted == 0


def test_410_disables_and_says_so(event, told, receiver, subscribe, deliver, mails):
    subscribe(event.organizer, receiver(says(410)).url)
    told()
    deliver()

    webhook = Webhook.objects.get()
    assert (webhook.enabled, webhook.disabled_reason, states()) == (False, "gone", [("failed",)])
    assert mails(event.organizer) == ["webhook_disabled"]


@pytest.mark.parametrize("text", ["21 Oct 99999999999999999999 07:28:00", "soon", "", "²"])
def test_a_retry_after_that_says_nothing_is_passed_over(text):
    assert sending.wait_of(text) is None


def test_retry_after_is_obeyed(event, told, receiver, subscribe, deliver, clock):
    sink = receiver(says(503, retry_after="3600"))
    subscribe(event.organizer, sink.url)
    told(2)
    deliver()
    sink.answer = says(200)
    clock.skip(minutes=59)
    deliver()
    before = len(sink.received)
    clock.skip(minutes=2)
    deliver()

    assert (before, len(sink.received)) == (1, 3)
    assert states() == [("sent",)] * 2


def test_a_message_is_given_up_after_three_days_and_its_log_says_why(event, told, receiver, subscribe, deliver, clock):
    sink = receiver(says(500, b"out of order"))
    subscribe(event.organizer, sink.url)
    told()
    for _ in range(40):
        deliver()
        clock.skip(hours=3)
    claims.retire(now=clock())

    [(state, answer, attempt)] = states("answer", "attempt")
    assert (state, answer) == ("failed", "out of order")
    assert 15 < attempt < 40


def test_an_address_that_fails_is_asked_by_one_message_at_a_time(event, told, receiver, subscribe, deliver, clock):
    sink = receiver(says(500))
    subscribe(event.organizer, sink.url)
    told(50)
    deliver()
    at_first = len(sink.received)
    for _ in range(10):
        clock.skip(minutes=7)
        deliver()
    asked = len(sink.received) - at_first
    sink.answer = says(200)
    clock.skip(days=1)
    deliver()

    assert 3 <= at_first <= 6
    assert asked == 10
    assert states() == [("sent",)] * 50
    assert len({each.id for each in sink.received[at_first + 10 :]}) == 50


def test_an_owner_is_warned_after_a_day_and_the_webhook_is_disabled_after_five(
    event, told, receiver, subscribe, deliver, clock, mails
):
    subscribe(event.organizer, receiver(says(500)).url)
    told()
    deliver()
    seen = []
    for hours in (23, 2, 94, 2):
        clock.skip(hours=hours)
        health.judge(clock())
        health.judge(clock())
        seen.append((mails(event.organizer), Webhook.objects.get().enabled))

    warned = ["webhook_failing"]
    assert seen == [([], True), (warned, True), (warned, True), ([*warned, "webhook_disabled"], False)]
    assert Webhook.objects.get().disabled_reason == "failing"


def test_what_waits_is_sent_once_a_webhook_is_enabled_again(event, told, receiver, subscribe, deliver, clock):
    sink = receiver(says(500))
    webhook = subscribe(event.organizer, sink.url)
    told()
    deliver()
    caller = {"caller": Caller(event.organizer), "webhook_id": webhook.pk, "now": clock()}
    subscriptions.change(**caller, values={"enabled": False})
    clock.skip(hours=1)
    sink.answer = says(200)
    deliver()
    off = len(sink.received)
    subscriptions.change(**caller, values={"enabled": True})
    deliver()

    assert (off, len(sink.received), states()) == (1, 2, [("sent",)])


def test_a_message_is_sent_again_under_its_old_id(event, told, receiver, subscribe, deliver, now):
    sink = receiver()
    webhook = subscribe(event.organizer, sink.url)
    told()
    deliver()
    [message] = Message.objects.all()

    subscriptions.redeliver(
        caller=Caller(event.organizer), webhook_id=webhook.pk, message_id=message.message_id, now=now
    )
    deliver()

    assert [each.id for each in sink.received] == [str(message)] * 2
    assert sink.received[0].body == sink.received[1].body


def test_a_receiver_that_ends_each_connection_gets_each_message(event, told, receiver, subscribe, deliver):
    sink = receiver(says(200, connection="close"))
    subscribe(event.organizer, sink.url)
    told(3)
    deliver()

    assert (states("attempt"), sink.accepted) == ([("sent", 1)] * 3, 3)


def test_a_connection_is_kept_and_made_anew_where_the_other_side_ended_it(event, told, receiver, subscribe, deliver):
    def ends_after_the_third(handler, received):
        handler.say(204)
        handler.close_connection = len(sink.received) == 3

    sink = receiver(ends_after_the_third)
    subscribe(event.organizer, sink.url)
    for _ in range(5):
        told()
        deliver()

    assert (states("attempt"), sink.accepted) == ([("sent", 1)] * 5, 2)


# ── Receivers that do not behave ──


@pytest.fixture
def impatient(monkeypatch):
    """15 seconds are 0.5."""
    monkeypatch.setattr(sending, "TIMEOUT", 0.5)
    monkeypatch.setattr(sending, "BODY_TAKES", 0.2)


@pytest.mark.parametrize("answer", [hangs(3), drips], ids=["hangs", "drips"])
def test_an_answer_that_takes_too_long_is_none(event, told, receiver, subscribe, deliver, impatient, answer):
    sink = receiver(answer)
    subscribe(event.organizer, sink.url)
    told(3)
    deliver()

    assert len(sink.received) == 1
    assert states("answer")[0] == ("pending", "No answer in time.")
    assert Webhook.objects.get().paused_until is not None
    assert 450 < Message.objects.earliest("pk").milliseconds < 1500


def test_of_a_hundred_megabytes_little_is_read_and_nothing_is_unpacked(
    event, told, receiver, subscribe, deliver, impatient
):
    packed = gzip.compress(b"x" * 1_000_000)
    subscribe(event.organizer, receiver(floods).url)
    subscribe(event.organizer, receiver(says(200, packed, content_encoding="gzip")).url)
    told()
    deliver()

    answers = [(state, len(answer)) for state, answer in states("answer")]
    assert answers[0] == ("sent", 512)
    assert answers[1][0] == "sent"
    assert answers[1][1] < 512


def test_a_receiver_that_hangs_delays_no_other(event, make_user, told, receiver, subscribe, clock, impatient, now):
    stuck, well = [receiver(hangs(2)) for _ in range(3)], receiver()
    for sink in stuck:
        subscribe(event.organizer, sink.url)
    subscribe(event.organizer, well.url)
    told(20)
    dispatcher = Dispatcher(clock=clock, threads=4)
    dispatcher.turn()
    while len(well.received) < 20:
        dispatcher.turn()
        dispatcher.settle(dispatcher.gather(0.02))
    waiting = Message.objects.filter(webhook__in=Webhook.objects.order_by("pk")[:3])

    assert {message.attempt for message in waiting} == {0}
    dispatcher.finish()


# ── Claims ──


def test_nobody_settles_what_another_has_claimed(event, told, receiver, subscribe, clock):
    webhook = subscribe(event.organizer, receiver().url)
    told()
    fan_out()
    [late] = claims.claim({webhook.pk: 5}, now=clock())
    assert claims.claim({webhook.pk: 5}, now=clock()) == []
    clock.skip(minutes=3)
    [again] = claims.claim({webhook.pk: 5}, now=clock())

    assert claims.settle([claims.became(late, "failed")], now=clock()) == 0
    assert claims.settle([claims.became(again, "sent", tried=True, status=200)], now=clock()) == 1
    assert states("attempt") == [("sent", 1)]


def test_a_restored_copy_and_an_operator_hold_webhooks_with_the_mail(event, told, receiver, subscribe, deliver, now):
    sink = receiver()
    subscribe(event.organizer, sink.url)
    told()
    send_control.hold(because="Maintenance", now=now)

    deliver()

    assert (sink.received, OutboxMail.objects.count()) == ([], 0)


def test_scheduling_tells_too(event, receiver, subscribe, deliver, now):
    sink = receiver()
    subscribe(event.organizer, sink.url)
    scheduling.delete(event_id=event.pk, caller=Caller(event.organizer), now=now)

    deliver()

    assert [each.message["type"] for each in sink.received] == ["event.deleted"]
