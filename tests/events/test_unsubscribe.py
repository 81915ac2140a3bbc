"""Reminders can be stopped by one click of a mail program, by a person on a page, by a program; and by nothing else."""

from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.utils import timezone

from jointoit.accounts.callers import SERVICE
from jointoit.events import reminders, scheduling
from jointoit.mail import links, rendering
from jointoit.mail.models import OutboxMail

ADDRESS = "/registrations/unsubscribe/"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
FORM = "application/x-www-form-urlencoded"
ONE_CLICK = "List-Unsubscribe=One-Click"
MULTIPART = '--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n'
DAY = timedelta(days=1)


@pytest.fixture
def held(make_event, register, now):
    """A seat whose reminder has been promised and not been sent."""
    held = register(make_event(date=now + 2 * DAY))
    reminders.promise_due(now + DAY)
    return held


@pytest.fixture
def header(held):
    """The List-Unsubscribe of the reminder, as a mail program reads it."""
    mail = rendering.compose(OutboxMail.objects.get(kind="event_reminder"), now=timezone.now()).message()
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    return mail["List-Unsubscribe"].removeprefix("<").removesuffix(">")


def token_of(address):
    return parse_qs(urlsplit(address).query)["token"][0]


def states():
    return list(OutboxMail.objects.filter(kind="event_reminder").order_by("pk").values_list("state", flat=True))


@pytest.mark.parametrize(
    ("body", "kind"), [(ONE_CLICK, FORM), (MULTIPART, "multipart/form-data; boundary=x")], ids=["form", "multipart"]
)
def test_one_click_of_a_mail_program_stops_the_reminders(api, held, header, body, kind):
    answer = api.generic("POST", header, body, content_type=kind)

    held.refresh_from_db()
    assert (answer.status_code, held.wants_reminder, held.status, states()) == (200, False, "confirmed", ["superseded"])


def test_opening_the_link_shows_a_page_and_stops_nothing(api, held, header):
    page = api.get(header, HTTP_ACCEPT=BROWSER)

    held.refresh_from_db()
    assert (page.status_code, held.wants_reminder, states()) == (200, True, ["pending"])
    assert f'<form method="post" action="{ADDRESS}">' in page.text
    assert f'<input type="hidden" name="token" value="{token_of(header)}">' in page.text


def test_a_person_stops_them_on_the_page(api, held, header):
    form = urlencode({"token": token_of(header)})
    page = api.generic("POST", ADDRESS, form, content_type=FORM, HTTP_ACCEPT=BROWSER, HTTP_ORIGIN="null")

    held.refresh_from_db()
    assert (page.status_code, "We will not remind you" in page.text, held.wants_reminder) == (200, True, False)


def test_a_program_stops_them_and_twice_is_once(api, held, header):
    answers = [api.post(ADDRESS, {"token": token_of(header)}) for _ in range(2)] + [api.post(header, {})]

    held.refresh_from_db()
    assert ([answer.status_code for answer in answers], held.wants_reminder) == ([204, 204, 204], False)


def test_a_token_that_has_died_otherwise_does_not_matter_here(api, header):
    assert api.post(header, {}, HTTP_AUTHORIZATION="Bearer dead").status_code == 204


@pytest.mark.parametrize(
    "token", ["", "x", "a:b", "WzFd.forged", 5, None, ["x"], "x" * 4097], ids=lambda t: repr(t)[:9]
)
def test_what_is_no_token_of_a_reminder_is_400(api, held, token):
    refusal = api.post(ADDRESS, {"token": token})

    held.refresh_from_db()
    assert (refusal.status_code, refusal.json()["errors"][0]["pointer"]) == (400, "#/token")
    assert held.wants_reminder


@pytest.mark.parametrize("query", ["?token=a&token=b", "?token=%00"], ids=["twice", "NUL"])
def test_an_odd_address_is_400(api, held, query):
    answers = [api.get(ADDRESS + query, HTTP_ACCEPT=BROWSER), api.post(ADDRESS + query, {})]

    assert [answer.status_code for answer in answers] == [400, 400]


@pytest.mark.parametrize("body", ["[]", '"x"', "null", "5"])
def test_a_body_that_is_no_object_is_400(api, held, header, body):
    assert api.generic("POST", header, body, content_type="application/json").status_code == 400


def test_a_token_of_another_mail_stops_nothing(api, held):
    token = links.mint("reset_password", user_id=held.pk, token_epoch=0, address="ada@example.org")

    assert api.post(ADDRESS, {"token": token}).status_code == 400


def test_who_stopped_them_still_hears_of_a_change_and_gets_no_reminder_of_the_new_date(api, held, header, now):
    api.post(header, {})
    scheduling.change(event_id=held.event_id, caller=SERVICE, fields={"date": now + 9 * DAY}, now=now + DAY)
    reminders.promise_due(now + 8 * DAY)

    assert (states(), OutboxMail.objects.filter(kind="event_changed").count()) == (["superseded"], 1)


def test_others_are_reminded_as_before(api, held, header, make_event, register, now):
    neighbour = register(held.event)
    elsewhere = register(make_event(date=now + 9 * DAY), held.attendee)
    api.post(header, {})
    scheduling.change(event_id=held.event_id, caller=SERVICE, fields={"date": now + 9 * DAY}, now=now + DAY)
    reminders.promise_due(now + 8 * DAY)

    waiting = OutboxMail.objects.filter(kind="event_reminder", state="pending").order_by("pk")
    assert sorted(waiting.values_list("payload__registration_id", flat=True)) == [neighbour.pk, elsewhere.pk]
