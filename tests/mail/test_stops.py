"""What somebody wants no mail of any more is not sent, neither what waits nor what comes."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from django.db import transaction

from jointoit.mail import messages as m
from jointoit.mail import outbox, stops
from jointoit.mail.models import MailStop, OutboxMail
from tests.mail.samples import ADA, MEETING, sample
from tests.mail.sink import Sink

MAILS = {
    "event": sample(m.EventChanged),
    "requests": sample(m.ApprovalsWaiting),
    "other event": sample(m.RegistrationConfirmed, event=replace(MEETING, id=55)),
    "account": sample(m.PasswordReset),
    "held": sample(m.HeldMails),
}
SENT = {
    "event:5": {"other event", "account", "held"},
    MailStop.SERVICE: {"account", "held"},
    MailStop.ALL: set(),
    "event:7": set(MAILS),
}


def promise() -> None:
    with transaction.atomic():
        for key, message in MAILS.items():
            outbox.enqueue(message, key=key)
        outbox.enqueue(sample(m.EventChanged, to=replace(ADA, address="grace@example.org")), key="grace")


@pytest.mark.django_db
@pytest.mark.parametrize("topic", SENT)
@pytest.mark.parametrize("before", [True, False], ids=["before", "while they wait"])
def test_a_stop_covers_its_topic_and_its_reader(
    topic: str, before: bool, sink: Sink, deliver: Callable[[], bool]
) -> None:
    steps = [promise, lambda: stops.stop(address="ADA@example.org", topic=topic)]
    for step in reversed(steps) if before else steps:
        step()
    deliver()

    sent = set(OutboxMail.objects.filter(state="sent").values_list("dedupe_key", flat=True))
    assert sent == SENT[topic] | {"grace"}
    assert set(OutboxMail.objects.exclude(state="sent").values_list("state", flat=True)) <= {"superseded"}


@pytest.mark.django_db
def test_twice_is_once_and_a_closed_account_leaves_nothing() -> None:
    for _ in range(2):
        stops.stop(address=ADA.address, topic="event:5")
    assert ADA.address not in MailStop.objects.get().digest

    stops.forget(ADA.address)

    assert not MailStop.objects.exists()
