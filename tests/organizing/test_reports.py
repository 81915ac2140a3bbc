"""Anybody tells staff of an event that should not be there; staff read it, hide the event and stop its mails."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from jointoit.accounts import account_closing
from jointoit.accounts.models import User
from jointoit.events.models import Event
from jointoit.mail.models import OutboxMail
from jointoit.organizing.models import Report

WORDS = {"kind": "fraud", "text": "It takes money for nothing. <b>Look</b>"}


@pytest.fixture
def admin(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root", "root@example.org"))
    return client


def test_a_report_is_there_for_staff_whoever_wrote_it(client, make_event, admin):
    event = make_event()

    answer = client.post(f"/e/{event.pk}/report/", WORDS)

    assert (answer.status_code, answer["Location"]) == (302, f"/e/{event.pk}/")
    assert list(Report.objects.values_list("event", "kind", "text", "reporter")) == [(event.pk, *WORDS.values(), None)]
    listed = admin.get(reverse("admin:organizing_report_changelist")).content.decode()
    assert "It takes money for nothing. &lt;b&gt;Look&lt;/b&gt;" in listed


@pytest.mark.parametrize("words", [{}, {"kind": "boring"}, WORDS | {"text": "x" * 2_001}], ids=["", "kind", "long"])
def test_a_report_that_cannot_be_read_is_asked_for_again(client, make_event, words):
    answer = client.post(f"/e/{make_event().pk}/report/", words)

    assert (answer.status_code, Report.objects.count()) == (400, 0)


def test_who_reports_without_end_waits(client, make_event, settings):
    settings.RATES = settings.RATES | {"report": "2/hour"}
    path = f"/e/{make_event().pk}/report/"

    assert [client.post(path, WORDS).status_code for _ in range(3)] == [302, 302, 429]


def test_what_somebody_reported_says_nothing_of_them_once_their_account_is_closed(log_in_and_report, now):
    user = log_in_and_report()

    account_closing.close(user=user, password="correct-horse-9", now=now)

    assert list(Report.objects.values_list("kind", "text", "reporter")) == [("fraud", "", None)]


@pytest.fixture
def log_in_and_report(client: Any, make_user: Any, make_event: Any) -> Any:
    def enter() -> User:
        user: User = make_user()
        client.force_login(user)
        client.post(f"/e/{make_event().pk}/report/", WORDS)
        assert Report.objects.get().reporter == user
        return user

    return enter


def test_staff_read_how_many_mails_are_stopped_and_hide_the_event_in_one_step(admin, make_event, register):
    event = make_event()
    register(event), register(event)
    chosen = {"action": "hide_events", "_selected_action": [event.pk]}
    events = reverse("admin:events_event_changelist")

    asked = admin.post(events, chosen).content.decode()
    assert "Mails that wait and will not be sent: 2." in asked
    assert Event.objects.get().hidden_status is None
    admin.post(events, chosen | {"people": "2"})

    assert (Event.objects.get().hidden_status, OutboxMail.objects.filter(state="pending").count()) == ("published", 0)
    admin.post(events, chosen | {"action": "show_events", "people": "0"})
    assert (Event.objects.get().hidden_status, Event.objects.get().status) == (None, "published")


def test_a_report_that_is_settled_is_not_among_the_open_ones(admin, client, make_event):
    client.post(f"/e/{make_event().pk}/report/", WORDS)
    reports = reverse("admin:organizing_report_changelist")
    admin.post(reports, {"action": "settle_reports", "_selected_action": [Report.objects.get().pk]})

    open_ones = admin.get(f"{reports}?settled_at__isempty=1").content.decode()

    assert ("0 reports" in open_ones, Report.objects.get().settled_at is None) == (True, False)
