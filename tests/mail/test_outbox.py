import tracemalloc
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from jointoit.mail import outbox, tasks
from jointoit.mail.messages import PasswordChanged, PasswordReset, Priority, RegistrationConfirmed
from jointoit.mail.models import OutboxMail
from tests.mail.samples import ADA, sample

State = OutboxMail.State


@pytest.fixture
def rings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What the broker hears."""
    rings: list[int] = []
    monkeypatch.setattr(tasks.notification, "send", lambda: rings.append(1))
    return rings


def states() -> list[str]:
    return list(OutboxMail.objects.order_by("pk").values_list("state", flat=True))


@pytest.mark.django_db
def test_a_promise_costs_one_query(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        outbox.enqueue(sample(RegistrationConfirmed), key="registration:7:1.0:confirmed")


@pytest.mark.django_db(transaction=True)
def test_a_promise_outside_a_transaction_is_refused() -> None:
    with pytest.raises(transaction.TransactionManagementError):
        outbox.enqueue(sample(PasswordChanged), key="k")


@pytest.mark.django_db(transaction=True)
def test_a_fact_that_did_not_happen_is_not_told(rings: list[int]) -> None:
    with transaction.atomic():
        outbox.enqueue(sample(PasswordChanged), key="k")
        transaction.set_rollback(True)

    assert (OutboxMail.objects.count(), rings) == (0, [])


@pytest.mark.django_db
def test_one_fact_is_one_mail() -> None:
    for _ in range(2):
        outbox.enqueue(sample(PasswordChanged), key="user:3:password_changed:1")

    assert OutboxMail.objects.count() == 1


@pytest.mark.django_db
def test_a_row_holds_whom_what_and_how_urgently() -> None:
    outbox.enqueue(sample(PasswordReset), key="k")

    mail = OutboxMail.objects.get()
    assert (mail.recipient, mail.kind, mail.priority, mail.state) == (
        ADA.address, "password_reset", Priority.URGENT, State.PENDING,
    )  # fmt: skip
    assert mail.give_up_at - mail.not_before == timedelta(days=5)


@pytest.mark.django_db
def test_the_message_id_bears_the_domain_of_the_sender(settings: Any) -> None:
    settings.DEFAULT_FROM_EMAIL = "Événements <mail@bücher.example>"
    outbox.enqueue(sample(PasswordChanged), key="k")

    assert OutboxMail.objects.get().message_id.endswith("@xn--bcher-kva.example>")


@pytest.mark.django_db
def test_a_later_fact_supersedes_what_still_waits_about_the_same_thing() -> None:
    OutboxMail.objects.filter(pk=enqueued("registration:7:1.0:confirmed")).update(state=State.SENT)
    for key in ("registration:7:1.0:reminder", "registration:70:1.0:confirmed"):
        enqueued(key)

    outbox.enqueue(sample(PasswordChanged), key="registration:7:2.0:cancelled", supersedes="registration:7:")

    assert states() == [State.SENT, State.SUPERSEDED, State.PENDING, State.PENDING]


def enqueued(key: str) -> int:
    outbox.enqueue(sample(PasswordChanged), key=key)
    return OutboxMail.objects.get(dedupe_key=key).pk


@pytest.mark.django_db
def test_many_promises_count_only_the_new_ones() -> None:
    enqueued("many:1")

    assert outbox.enqueue_many((sample(PasswordChanged), f"many:{n}") for n in range(3)) == 2


@pytest.mark.django_db
def test_many_promises_take_bounded_memory_and_few_queries(django_assert_num_queries: Any) -> None:
    message = sample(RegistrationConfirmed)
    tracemalloc.start()
    with django_assert_num_queries(3):
        outbox.enqueue_many((message, f"registration:{n}:") for n in range(2_500))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 16_000_000


@pytest.mark.django_db(transaction=True)
def test_the_bell_rings_once_the_fact_stands(rings: list[int]) -> None:
    with transaction.atomic():
        outbox.enqueue_many((sample(PasswordChanged), f"many:{n}") for n in range(1_500))
        assert rings == []

    assert rings == [1]


@pytest.mark.django_db(transaction=True)
def test_the_bell_is_silent_for_mail_that_is_not_due_yet(rings: list[int], now: Any) -> None:
    with transaction.atomic():
        outbox.enqueue(sample(PasswordChanged), key="k", not_before=now + timedelta(days=1))

    assert rings == []


@pytest.mark.django_db
def test_the_newest_mail_about_something_tells_how_it_stands() -> None:
    OutboxMail.objects.filter(pk=enqueued("registration:7:1.0:confirmed")).update(state=State.SENT)
    OutboxMail.objects.filter(pk=enqueued("registration:7:2.0:cancelled")).update(
        state=State.DEAD, last_answer="550 no"
    )
    enqueued("registration:70:1.0:confirmed")

    standing = outbox.latest(["registration:7", "registration:8"])

    assert standing == {"registration:7": outbox.LatestMail("password_changed", State.DEAD, "550 no")}


@pytest.mark.django_db
def test_whoever_leaves_is_forgotten_when_the_last_mail_has_gone() -> None:
    OutboxMail.objects.filter(pk=enqueued("a")).update(state=State.SENT)
    enqueued("b")

    outbox.forget(ADA.address)

    assert list(OutboxMail.objects.order_by("pk").values_list("recipient", "forget")) == [
        ("", False), (ADA.address, True),
    ]  # fmt: skip
