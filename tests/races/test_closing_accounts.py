"""An account is closed while its owner asks for a seat: whoever comes first, no closed account keeps one."""

import threading
from functools import partial

import pytest
from django.db import connection, transaction

from jointoit.accounts import account_closing
from jointoit.accounts.models import User
from jointoit.accounts.tokens import DeadToken
from jointoit.events import booking
from jointoit.events.invariants import violations
from jointoit.events.models import Registration

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 8


def held_by_closed_accounts() -> int:
    return Registration.objects.live().filter(attendee__is_active=False).count()


def test_a_closed_account_holds_no_seat_whoever_was_faster(make_event, make_user, race, now):
    event = make_event(capacity=ROUNDS)
    for _ in range(ROUNDS):
        guest = make_user()
        ask = partial(booking.register, event_id=event.pk, attendee=guest, now=now)
        race([ask, partial(account_closing.close, user=guest, password="correct-horse-9", now=now)])

    assert held_by_closed_accounts() == 0
    assert list(violations(now=now)) == []


def ask_while_closing(ask, guest: User) -> list[object]:
    """Let `ask` run after the seats were given back and before the account is shut, the worst moment there is."""
    answers: list[object] = []

    def run() -> None:
        try:
            answers.append(ask())
        except DeadToken as refusal:
            answers.append(refusal)
        finally:
            connection.close()

    asking = threading.Thread(target=run)
    with transaction.atomic():
        held = User.objects.lock(guest.pk).get()
        asking.start()
        asking.join(timeout=0.5)  # it either is done by now or waits for the row
        account_closing.erase(held)
    asking.join()
    return answers


def test_whoever_asks_while_the_account_is_closed_waits_and_is_refused(make_event, make_user, now):
    event, guest = make_event(capacity=1), make_user()

    answers = ask_while_closing(partial(booking.register, event_id=event.pk, attendee=guest, now=now), guest)

    assert [type(answer) for answer in answers] == [DeadToken]
    assert held_by_closed_accounts() == 0


def test_without_the_shared_lock_a_closed_account_would_keep_a_seat(make_event, make_user, now):
    event, guest = make_event(capacity=1), make_user()

    def ask() -> Registration:
        assert User.objects.filter(pk=guest.pk, is_active=True).exists()
        return Registration.objects.create(
            event=event, attendee=guest, status="confirmed", registered_at=now, updated_at=now
        )

    ask_while_closing(ask, guest)

    assert held_by_closed_accounts() == 1
