"""The organizer's news: counted once and told once, whoever is killed and however many are at it."""

from functools import partial
from threading import Barrier
from typing import Any

import pytest

from jointoit.journal import feed
from jointoit.journal.feed import Cursor
from jointoit.mail.models import OutboxMail
from jointoit.organizing import news
from jointoit.organizing.models import EventNews
from tests.facts import wait_until_shown


@pytest.mark.django_db(transaction=True)
def test_many_sweepers_of_which_one_is_killed_tell_of_each_registration_once(
    make_event, register, race, now, monkeypatch
):
    event = make_event(organizer_news="each")
    news.count()
    for _ in range(5):
        register(event)
    wait_until_shown()
    monkeypatch.setattr(news.EventNews.objects, "filter", killed)
    with pytest.raises(KeyboardInterrupt):
        news.tell_due(now)
    assert told().count() == 0  # the mail went with its transaction
    monkeypatch.undo()

    race([partial(news.tell_due, now)] * 4)

    assert [mail.payload["came"] for mail in told()] == [5]


@pytest.mark.django_db(transaction=True)
def test_without_the_place_in_the_feed_held_they_would_count_twice(make_event, register, race, now, monkeypatch):
    event = make_event(organizer_news="each")
    news.count()
    register(event)
    wait_until_shown()
    both_have_read = Barrier(2)

    def follow(positions: Any, facts: str, *, size: int) -> Any:
        page = feed.read(facts, {}, cursor=Cursor(*positions.objects.get().place), size=size)
        both_have_read.wait(timeout=30)
        positions.objects.update(place=feed.place_of(page.next))
        return page.rows

    monkeypatch.setattr(feed, "follow", follow)
    race([news.count] * 2)

    assert EventNews.objects.get().came == 2


def killed(**_: Any) -> None:
    raise KeyboardInterrupt


def told() -> Any:
    return OutboxMail.objects.filter(kind="organizer_news")
