"""A list that is read page by page while somebody writes: what was there all the time is shown once, in order."""

import random
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from jointoit.events.models import Event

START = datetime(2099, 1, 1, tzinfo=UTC)
KEPT = 200


class Writer(threading.Thread):
    """Inserts and deletes events among the kept ones until it is told to stop."""

    def __init__(self, organizer: Any) -> None:
        super().__init__()
        self.organizer, self.stopping, self.written = organizer, threading.Event(), 0

    def run(self) -> None:
        dice = random.Random(3)
        try:
            while not self.stopping.is_set():
                date = START + timedelta(hours=dice.randrange(50))
                passing = Event.objects.create(title="passing", date=date, organizer=self.organizer)
                if dice.random() < 0.7:
                    passing.delete()
                self.written += 1
        finally:
            connection.close()


@pytest.fixture
def writer(make_user) -> Iterator[Writer]:
    organizer = make_user()
    Event.objects.bulk_create(
        Event(title="kept", date=START + timedelta(hours=number // 4), organizer=organizer) for number in range(KEPT)
    )
    thread = Writer(organizer)
    thread.start()
    yield thread
    thread.stopping.set()
    thread.join()


def walked(api: Any, url: str | None, link: str) -> list[dict[str, Any]]:
    found = []
    while url:
        page = api.get(url).json()
        found += page["results"] if link == "next" else page["results"][::-1]
        url = page[link]
    return found


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("ordering", ["date", "-date", "title", "-created_at"])
def test_a_list_holds_still_while_somebody_writes(api, writer, ordering: str):
    tie = "-pk" if ordering.startswith("-") else "pk"
    kept = list(Event.objects.filter(title="kept").order_by(ordering, tie).values_list("pk", flat=True))
    url = f"/events/?ordering={ordering}&page_size=7"

    forth = walked(api, url, "next")
    last = url
    while (following := api.get(last).json()["next"]) is not None:
        last = following
    back = walked(api, last, "previous")[::-1]

    for rows in (forth, back):
        assert [row["id"] for row in rows if row["title"] == "kept"] == kept
        assert len({row["id"] for row in rows}) == len(rows)
    assert writer.written > 0
