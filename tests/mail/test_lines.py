"""Mails to one person about one event: they leave in the order of the facts, and what was not sent is told once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection, transaction

from jointoit.mail import claims, delivery, lines, outbox
from jointoit.mail import messages as m
from jointoit.mail.models import OutboxMail
from jointoit.process.leases import LEASE
from tests.mail.conftest import Clock
from tests.mail.samples import ADA, MEETING, sample
from tests.mail.sink import DROP, Sink

Deliver = Callable[[], bool]
State = OutboxMail.State
GRACE = replace(ADA, address="grace@example.org")


def tell(kind: type[m.Message], number: int = 0, **facts: Any) -> OutboxMail:
    message = sample(kind, **facts)
    key = f"registration:7:{number}:{message.kind}:{message.to.address}"
    with transaction.atomic():
        outbox.enqueue(message, key=key)
    return OutboxMail.objects.get(dedupe_key=key)


def move(before: str, after: str, to: m.Person = ADA) -> OutboxMail:
    """Tell of a change of the place."""
    was, now = (replace(MEETING, location=place) for place in (before, after))
    return tell(m.EventChanged, OutboxMail.objects.count(), before=was, event=now, to=to)


def moves(sink: Sink) -> list[tuple[str, str]]:
    """The old and the new place of each change that arrived."""
    texts = [mail.get_body(("plain",)).get_content() for mail in sink.received]  # type: ignore[union-attr]
    found = [text.partition("Where, until now: ")[2].splitlines() for text in texts]
    return [(lines[0], lines[1].removeprefix("From now on: ")) for lines in found if lines]


def kinds(sink: Sink) -> list[str]:
    order = {mail["Message-ID"]: n for n, mail in enumerate(sink.received)}
    rows = OutboxMail.objects.filter(message_id__in=order)
    return [row.kind for row in sorted(rows, key=lambda row: order[row.message_id])]


@pytest.mark.django_db
def test_changes_that_were_not_sent_are_one_mail_from_the_first_to_the_last(deliver: Deliver, sink: Sink) -> None:
    for before, after in pairwise("ABCDEF"):
        move(before, after)
    deliver()

    assert moves(sink) == [("A", "F")]
    assert list(OutboxMail.objects.order_by("pk").values_list("state", flat=True)) == [State.SUPERSEDED] * 4 + [
        State.SENT
    ]


@pytest.mark.django_db
def test_changes_that_end_where_they_began_are_not_told(deliver: Deliver, sink: Sink) -> None:
    move("A", "B"), move("B", "C"), move("C", "A")
    deliver()

    assert (sink.received, set(OutboxMail.objects.values_list("state", flat=True))) == ([], {State.SUPERSEDED})


@pytest.mark.django_db
def test_a_change_that_may_have_arrived_is_taken_back_by_a_mail(deliver: Deliver, sink: Sink, clock: Clock) -> None:
    sink.says["DATA"].append(DROP)
    move("A", "B")
    deliver()
    move("B", "A")
    clock.pass_by(minutes=2)
    deliver()

    assert moves(sink) == [("A", "B"), ("B", "A")]


@pytest.mark.parametrize(
    "end",
    [
        m.EventCancelled,
        m.RegistrationCancelledByAttendee,
        m.RegistrationCancelledByOrganizer,
        m.RegistrationDeclined,
    ],
)
@pytest.mark.django_db
def test_an_end_swallows_what_was_not_sent(end: type[m.Message], deliver: Deliver, sink: Sink) -> None:
    tell(m.RegistrationConfirmed), move("A", "B"), tell(m.EventReminder), tell(end)
    deliver()

    assert kinds(sink) == [end.kind]


@pytest.mark.django_db
def test_an_end_swallows_nothing_of_another_registration(deliver: Deliver, sink: Sink) -> None:
    tell(m.RegistrationCancelledByAttendee, 1), tell(m.RegistrationConfirmed, 2, registration_id=8)
    tell(m.EventHandedOver, 3), tell(m.RegistrationCancelledByAttendee, 4)
    deliver(), deliver()

    assert kinds(sink) == ["registration_confirmed", "event_handed_over", "registration_cancelled_by_attendee"]


@pytest.mark.django_db
def test_a_reminder_that_was_not_sent_is_replaced_by_news_of_a_change(deliver: Deliver, sink: Sink) -> None:
    tell(m.EventReminder), move("A", "B")
    deliver()

    assert kinds(sink) == ["event_changed"]


@pytest.mark.django_db
def test_what_is_deferred_keeps_those_behind_it_waiting_and_nobody_else(
    deliver: Deliver, sink: Sink, clock: Clock
) -> None:
    sink.refuses[ADA.address] = "450 Try later"
    tell(m.RegistrationWaitlisted), tell(m.RegistrationPromoted), tell(m.RegistrationConfirmed, to=GRACE)
    deliver()
    del sink.refuses[ADA.address]
    tell(m.PasswordChanged)
    deliver()
    assert kinds(sink) == ["registration_confirmed", "password_changed"]

    clock.pass_by(minutes=2)
    deliver()

    assert kinds(sink)[2:] == ["registration_waitlisted", "registration_promoted"]


@pytest.mark.django_db
def test_a_mail_behind_one_that_died_goes_out(deliver: Deliver, sink: Sink) -> None:
    sink.says["RCPT"].append("550 No such user")
    tell(m.RegistrationWaitlisted), tell(m.RegistrationPromoted)
    deliver()

    assert kinds(sink) == ["registration_promoted"]


@pytest.mark.django_db
def test_behind_a_killed_senders_mail_the_next_waits_for_the_lease(deliver: Deliver, sink: Sink, clock: Clock) -> None:
    tell(m.RegistrationWaitlisted), tell(m.RegistrationPromoted)
    claims.claim(limit=10, now=clock.now)  # and then the power went
    deliver()
    assert sink.received == []

    clock.now += LEASE
    deliver()

    assert kinds(sink) == ["registration_waitlisted", "registration_promoted"]


@pytest.mark.django_db
def test_what_a_sender_has_in_hand_is_not_taken_back(clock: Clock) -> None:
    mail = tell(m.RegistrationConfirmed)
    claims.claim(limit=10, now=clock.now)
    with transaction.atomic():
        outbox.supersede("registration:7:")

    mail.refresh_from_db()
    assert mail.state == State.PENDING


@pytest.mark.django_db
def test_an_hour_brings_six_mails_and_then_one_with_the_rest(deliver: Deliver, sink: Sink, clock: Clock) -> None:
    for before, after in pairwise("ABCDEFGHI"):
        move(before, after), move("A", "B", to=GRACE)
        deliver()
    assert moves(sink)[-1] != ("H", "I")
    assert sink.recipients.count(ADA.address) == 6

    clock.pass_by(hours=1)
    deliver()

    assert [move for mail, move in zip(sink.recipients, moves(sink), strict=True) if mail == ADA.address][-1] == (
        "G", "I",
    )  # fmt: skip


@pytest.mark.django_db
def test_those_behind_a_mail_that_waits_are_not_looked_at_again_until_then(
    deliver: Deliver, sink: Sink, clock: Clock
) -> None:
    sink.refuses[ADA.address] = "450 Try later"
    head, behind = tell(m.RegistrationWaitlisted), tell(m.RegistrationPromoted)
    deliver()
    lines.line_up(now=clock.now)

    for mail in (head, behind):
        mail.refresh_from_db()
    assert behind.not_before == head.not_before > clock.now


@pytest.mark.django_db
def test_a_mail_that_cannot_be_read_stops_no_line(deliver: Deliver, sink: Sink) -> None:
    broken, whole = move("A", "B"), move("B", "C", to=GRACE)
    OutboxMail.objects.filter(pk=broken.pk).update(payload={"to": None})
    deliver()

    for mail in (broken, whole):
        mail.refresh_from_db()
    assert (broken.failures, whole.state) == (1, State.SENT)


@pytest.mark.django_db
def test_people_who_ask_are_one_mail_to_the_organizer(deliver: Deliver, sink: Sink) -> None:
    for number in range(3):
        tell(m.ApprovalsWaiting, number)
    deliver()

    (mail,) = sink.received
    assert "3 people ask" in mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("in_order", [True, False], ids=["as it is", "control: without the order of a line"])
def test_three_workers_send_the_mails_of_a_line_in_order(
    in_order: bool, sink: Sink, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not in_order:
        monkeypatch.setattr(claims, "CLAIM", claims.CLAIM.replace("topic = '' OR", "true OR"))
    monkeypatch.setattr(delivery, "BATCH", 1)
    people = [replace(ADA, address=f"n{n}@example.org") for n in range(6)]
    told: list[type[m.Message]] = [
        m.RegistrationPending,
        m.RegistrationWaitlisted,
        m.RegistrationPromoted,
        m.EventReminder,
    ]
    for kind in told:
        for person in people:
            tell(kind, to=person)
    OutboxMail.objects.update(priority=5)
    sink.refuses["n0@example.org"] = "450 Try later"
    sink.says["DATA"].extend(["250 OK", "451 Later", "250 OK", "451 Later"])
    sink.lag = 0.01

    def work(_: int) -> None:
        try:
            delivery.deliver_due(clock=clock)
        finally:
            connection.close()

    def workers() -> None:
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(work, range(3)))

    workers()
    sink.refuses.clear()
    for _ in range(4):
        clock.pass_by(minutes=5)
        workers()

    rows = {row.message_id: row.kind for row in OutboxMail.objects.all()}
    arrived = {
        person.address: [rows[str(mail["Message-ID"])] for mail in sink.received if mail["To"] == person.address]
        for person in people
    }
    as_told = all(kinds == [kind.kind for kind in told] for kinds in arrived.values())
    assert as_told is in_order
