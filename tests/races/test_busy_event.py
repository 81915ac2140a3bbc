"""An event row that somebody holds for long: its own registrations are told to come back, others notice nothing."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection, transaction

from jointoit.events import booking

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def held(event) -> Iterator[None]:
    """Another session keeps the event locked."""
    holds, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            booking.lock(event.pk)
            holds.set()
            let_go.wait(timeout=30)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert holds.wait(timeout=30)
    try:
        yield
    finally:
        let_go.set()
        holder.join()


def test_a_held_event_answers_busy_and_the_others_go_on(signed_in, make_event, make_user):
    stuck, free = make_event(capacity=5), make_event(capacity=5)
    guest = signed_in(make_user())

    with held(stuck):
        refused = guest.post(f"/events/{stuck.pk}/register/")
        taken = guest.post(f"/events/{free.pk}/register/")

    assert (refused.status_code, refused.json()["code"], refused["Retry-After"]) == (503, "busy", "1")
    assert taken.status_code == 201
    assert guest.post(f"/events/{stuck.pk}/register/").status_code == 201


def test_a_sold_out_event_says_so_even_while_it_is_held(signed_in, make_event, make_user, register):
    event = make_event(capacity=1)
    register(event)

    with held(event):
        refused = signed_in(make_user()).post(f"/events/{event.pk}/register/")

    assert (refused.status_code, refused.json()["code"]) == (409, "event_full")
