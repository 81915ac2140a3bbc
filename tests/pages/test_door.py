"""The door page over HTTP: who gets there, and that each press is one scan."""

import re
import uuid
from datetime import timedelta

import pytest
from django.urls import reverse

from jointoit.accounts.callers import Caller
from jointoit.checkin import tickets
from jointoit.checkin.models import Scan
from jointoit.events import door_passes
from tests.client import BrowserClient

pytestmark = pytest.mark.django_db


@pytest.fixture
def seat(make_event, register, now):
    return register(make_event(date=now + timedelta(hours=1)))


@pytest.fixture
def link(seat, now):
    door_pass, text = door_passes.create(
        caller=Caller(seat.event.organizer), event_id=seat.event_id, label="Left", now=now
    )
    return door_pass, reverse("page-door-enter", args=[text])


def enter(client, link):
    return client.post(client.get(link[1])["Location"])


def path_of(event):
    return reverse("page-door", args=[event.pk])


@pytest.mark.parametrize(("role", "status"), [("owner", 200), ("manager", 200), ("door", 200), ("stranger", 403)])
def test_the_door_is_for_who_helps(log_in, make_user, seat, now, role, status):
    event = seat.event
    person = event.organizer if role == "owner" else make_user()
    if role in ("manager", "door"):
        event.memberships.create(owner=event.organizer, member=person, role=role, since=now)

    page = log_in(person).get(path_of(event))

    assert page.status_code == status
    if status == 200:
        assert page["Permissions-Policy"].startswith("camera=(self)")


def test_nobody_comes_without_a_pass(client, seat):
    assert client.get(path_of(seat.event))["Location"].startswith("/login/")
    assert client.get(f"{path_of(seat.event)}status/").status_code == 401


def test_opening_the_link_of_a_pass_lets_nobody_in_its_button_does(client, seat, link):
    opened = client.get(link[1])
    page = client.get(opened["Location"])

    assert (opened["Location"], opened["Referrer-Policy"]) == (f"{path_of(seat.event)}enter/", "no-referrer")
    assert (page.status_code, page["Cache-Control"]) == (200, "no-store")
    assert client.get(path_of(seat.event)).status_code == 302
    assert client.post(opened["Location"])["Location"] == path_of(seat.event)
    assert client.get(path_of(seat.event)).status_code == 200


def test_no_foreign_page_starts_a_pass_in_the_browser_of_others(seat, link):
    client = BrowserClient(enforce_csrf_checks=True)

    assert (client.post(link[1]).status_code, "sessionid" in client.cookies) == (403, False)
    assert client.post(client.get(link[1])["Location"]).status_code == 403
    assert client.get(path_of(seat.event)).status_code == 302


def test_a_pass_leaves_whoever_is_logged_in_as_they_are(log_in, make_user, seat, link):
    client = log_in(make_user())
    before = client.session.get_expiry_age()

    assert enter(client, link)["Location"] == path_of(seat.event)
    assert [client.get(path).status_code for path in (path_of(seat.event), "/me/")] == [200, 200]
    assert client.session.get_expiry_age() == before


def test_a_pass_opens_the_door_of_its_event_alone(client, seat, link, make_event):
    enter(client, link)

    assert client.get(path_of(make_event()))["Location"].startswith("/login/")
    assert [client.get(path).status_code for path in ("/me/", "/manage/")] == [302, 302]


def test_a_pass_that_is_ended_ends_the_session(client, seat, link, now):
    enter(client, link)
    door_passes.revoke(caller=Caller(seat.event.organizer), event_id=seat.event_id, pass_id=link[0].pk, now=now)

    assert client.get(path_of(seat.event)).status_code == 302
    assert client.get(f"{path_of(seat.event)}status/").status_code == 401
    assert [client.get(link[1]).status_code, client.post(f"{path_of(seat.event)}enter/").status_code] == [404, 404]


def test_pressing_twice_is_one_scan(log_in, seat):
    client, path = log_in(seat.event.organizer), path_of(seat.event)
    sent = {"id": str(uuid.uuid4()), "ticket": tickets.issued(seat).code}

    pages = [client.post(path, sent).text for _ in range(2)]

    assert ["Come in" in page for page in pages] == [True, True]
    assert Scan.objects.count() == 1


@pytest.mark.parametrize(
    "ticket", ["", "nonsense", "7K2M-9QF3-8D", "7K\0", "JT1:" + "A" * 120, "😀" * 400, "<svg onload=x>"]
)
def test_nonsense_is_told_and_lets_nobody_in(log_in, seat, ticket):
    page = log_in(seat.event.organizer).post(
        path_of(seat.event), {"ticket": ticket, "id": "x", "gate": "g" * 500}, follow=True
    )

    assert (page.status_code, "Come in</p>" in page.text, "<svg onload" in page.text) == (200, False, False)
    assert Scan.objects.filter(result="admitted").count() == 0


def test_a_gate_that_cannot_be_written_is_told(log_in, seat):
    client, sent = log_in(seat.event.organizer), {"registration": seat.pk, "gate": "Left\0"}

    page = client.post(path_of(seat.event), sent)

    assert (page.status_code, "This must not have control characters." in page.text) == (400, True)
    assert Scan.objects.count() == 0


def test_a_scan_is_taken_back_by_a_button(log_in, seat):
    client, path = log_in(seat.event.organizer), path_of(seat.event)
    client.post(path, {"registration": seat.pk})
    undo = re.search(r'name="scan" value="([^"]+)"', client.get(path).text)[1]

    client.post(path, {"do": "undo", "scan": undo})

    assert Scan.objects.get().undone_at is not None
    assert client.post(path, {"do": "undo", "scan": "x"}).status_code == 404


def test_people_are_found_by_name_and_let_in(log_in, make_user, make_event, register, now):
    event = make_event(date=now + timedelta(hours=1))
    register(event, make_user(first_name="Zoë", last_name="Müller"))
    client = log_in(event.organizer)

    page = client.get(path_of(event), {"q": "zoe mull"}).text

    assert "Zoë Müller" in page
    assert (
        "Come in"
        in client.post(path_of(event), {"registration": re.search(r'registration" value="(\d+)"', page)[1]}).text
    )


@pytest.mark.parametrize("who", ["account", "pass"])
def test_scripts_send_the_token_of_the_page_or_are_refused(seat, link, who):
    client = BrowserClient(enforce_csrf_checks=True)
    if who == "account":
        client.force_login(seat.event.organizer)
    else:
        start = client.get(link[1])["Location"]
        token = re.search(r'csrfmiddlewaretoken" value="([^"]+)"', client.get(start).text)[1]
        client.post(start, {"csrfmiddlewaretoken": token})
    scan = {"id": str(uuid.uuid4()), "token": tickets.issued(seat).token}
    token = re.search(r'csrfmiddlewaretoken" value="([^"]+)"', client.get(path_of(seat.event)).text)[1]
    send = lambda **headers: client.post(  # noqa: E731
        f"{path_of(seat.event)}scans/", scan, content_type="application/json", headers=headers
    )

    assert [send().status_code, send(**{"X-CSRFToken": token}).status_code] == [403, 201]


def test_what_a_device_keeps_of_the_page_names_nobody(log_in, make_user, make_event, register, now):
    event = make_event(date=now + timedelta(hours=1))
    seat = register(event, make_user(first_name="Zoë", last_name="Müller"))
    client, path = log_in(event.organizer), path_of(event)
    client.post(path, {"registration": seat.pk})

    pages = [client.get(path, {"q": "zoe", **shell}).text for shell in ({}, {"shell": ""})]

    assert ["Müller" in page for page in pages] == [True, False]
    worker = client.get("/door/worker.js")
    assert (worker["Content-Type"], worker["Cache-Control"]) == ("text/javascript", "no-cache")
