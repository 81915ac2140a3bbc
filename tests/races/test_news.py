"""The organizer's news: counted once and told once, whoever is killed and however many are at it."""

from functools import partial
from typing import Any

import pytest

from jointoit.mail.models import OutboxMail
from jointoit.organizing import news


@pytest.mark.django_db(transaction=True)
def test_many_sweepers_of_which_one_is_killed_tell_of_each_registration_once(
    make_event, register, race, now, monkeypatch
):
    event = make_event(organizer_news="each")
    news.count()
    for _ in range(5):
        register(event)
    monkeypatch.setattr(news.EventNews.objects, "filter", killed)
    with pytest.raises(KeyboardInterrupt):
        news.tell_due(now)
    assert told().count() == 0  # the mail went with its transaction
    monkeypatch.undo()

    race([partial(news.tell_due, now)] * 4)

    assert [mail.payload["came"] for mail in told()] == [5]


def killed(**_: Any) -> None:
    raise KeyboardInterrupt


def told() -> Any:
    return OutboxMail.objects.filter(kind="organizer_news")
