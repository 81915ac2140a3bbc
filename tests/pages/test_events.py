"""What anybody sees of events, and asking for a seat."""

import json
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from jointoit.accounts.callers import Caller
from jointoit.events import scheduling
from jointoit.events.models import Event, Registration

pytestmark = pytest.mark.django_db
NASTY = "</script><svg onload=alert(1)>"
LARGEST = 60 * 1024  # bytes of a page with its styles


def page_of(client, event):
    return client.get(reverse("page-event-short", args=[event.pk]), follow=True)


STATES = {
    "open": ({}, "Take a seat"),
    "many seats": ({"capacity": 40}, "40 of 40 seats left"),
    "approved": ({"requires_approval": True}, "Ask for a seat"),
    "full": ({"capacity": 1, "seats_taken": 1}, "All 1 seats are taken"),
    "waiting list": ({"capacity": 1, "seats_taken": 1, "waitlist": True}, "Join the waiting list"),
    "cancelled": ({"status": "cancelled"}, "This event is cancelled."),
    "not yet": ({"registration_opens_at": timedelta(days=1)}, "Registration opens on"),
    "closed": ({"registration_closes_at": timedelta(days=-1)}, "Registration is closed."),
    "begun": ({"date": timedelta(hours=-1)}, "This event has begun."),
    "over": ({"date": timedelta(days=-3)}, "This event is over."),
}


@pytest.fixture
def in_state(make_event, now):
    def make(name, **more):
        fields = {
            name: now + value if isinstance(value, timedelta) else value for name, value in STATES[name][0].items()
        }
        return make_event(**fields, **more)

    return make


@pytest.mark.parametrize("state", STATES)
def test_each_state_has_its_sentence_within_four_queries_and_60_kilobytes(client, in_state, state):
    event = in_state(state, description="x" * 20_000)
    path = page_of(client, event).request["PATH_INFO"]

    with CaptureQueriesContext(
        connection,
    ) as queries:
        page = client.get(path)

    style = b"".join(client.get("/static/api/pages.css").streaming_content)
    assert (page.status_code, STATES[state][1] in page.text, len(queries) <= 4) == (200, True, True)
    assert len(page.content) + len(style) <= LARGEST


@pytest.mark.parametrize("viewer", ["stranger", "attendee", "organizer", "door"])
@pytest.mark.parametrize("state", STATES)
def test_whoever_is_signed_in_costs_six_queries_at_most(log_in, in_state, make_user, now, viewer, state):
    event = in_state(state)
    person = event.organizer if viewer == "organizer" else make_user()
    if viewer == "attendee":
        fields = {"status": "confirmed", "registered_at": now, "updated_at": now}
        Registration.objects.create(event=event, attendee=person, **fields)
    if viewer == "door":
        event.memberships.create(owner=event.organizer, member=person, role="door", since=now)
    client = log_in(person)
    path = page_of(client, event).request["PATH_INFO"]

    with CaptureQueriesContext(connection) as queries:
        page = client.get(path)

    assert (page.status_code, len(queries) <= 6) == (200, True), "\n".join(each["sql"][:70] for each in queries)
    assert ("You have a seat." in page.text, "Manage this event" in page.text) == (
        viewer == "attendee",
        viewer == "organizer",
    )


def test_the_list_costs_one_query(client, make_event, django_assert_num_queries):
    for number in range(5):
        make_event(title=f"Meetup {number}")

    with django_assert_num_queries(1):
        page = client.get("/e/")

    assert [f"Meetup {number}" in page.text for number in range(5)] == [True] * 5


@pytest.mark.parametrize("slug", ["", "wrong/", "MEETUP/"])
def test_a_wrong_slug_leads_to_the_right_one(client, make_event, slug):
    event = make_event(title="Meetup, Käse & more")

    answer = client.get(f"/e/{event.pk}/{slug}")

    assert (answer.status_code, answer["Location"]) == (301, f"/e/{event.pk}/meetup-k%C3%A4se-more/")


@pytest.mark.parametrize("title", ["!!!", "日本語のイベント", "x" * 255, NASTY, "a/b", "..", "%2e"])
def test_every_title_has_a_page(client, make_event, title):
    page = page_of(client, make_event(title=title))

    assert (page.status_code, len(page.redirect_chain)) == (200, 1)


def test_drafts_and_deleted_events_are_not_there(client, log_in, make_event, make_user, now):
    draft, deleted = make_event(status="draft"), make_event()
    scheduling.delete(event_id=deleted.pk, caller=Caller(deleted.organizer), now=now)

    answers = [page_of(client, event).status_code for event in (draft, deleted)]

    assert (answers, page_of(log_in(make_user()), draft).status_code) == ([404, 404], 404)
    assert page_of(log_in(draft.organizer), draft).status_code == 200


def test_markup_in_a_title_is_text_wherever_it_stands(client, make_event):
    event = make_event(title=NASTY, location=NASTY, description=NASTY, tags=[NASTY.lower()])

    page = page_of(client, event).text
    listed = client.get("/e/").text
    calendar = client.get(f"/events/{event.pk}/calendar.ics").content.decode().replace("\r\n ", "")

    assert [NASTY in text or "<svg onload" in text for text in (page, listed)] == [False, False]
    told = json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)[1])
    assert (told["name"], told["location"]["name"]) == (NASTY, NASTY)
    assert re.search(r'og:title" content="([^"]*)"', page)[1] == "&lt;/script&gt;&lt;svg onload=alert(1)&gt;"
    assert f"SUMMARY:{NASTY}" in calendar


def test_links_in_a_description_lend_no_weight(client, make_event):
    page = page_of(client, make_event(description="See https://example.org/?a=1&b=2 now")).text

    assert '<a href="https://example.org/?a=1&amp;b=2" rel="nofollow">' in page


@pytest.mark.parametrize("query", ["date=never", "cursor", "has_seats=maybe", "tag=" + "x" * 300, "search=a&search=b"])
def test_a_list_that_is_asked_for_wrongly_shows_all_and_says_so(client, make_event, query):
    make_event(title="Meetup")

    page = client.get(f"/e/?{query}")

    assert (page.status_code, "Meetup" in page.text) == (200, True)
    assert ("We did not understand" in page.text) is (query != "cursor")


def test_a_forged_cursor_is_refused_on_a_page(client):
    page = client.get("/e/?cursor=forged")

    assert (page.status_code, page["Content-Type"]) == (400, "text/html; charset=utf-8")


def test_pages_of_the_list_hang_together(client, make_event):
    for number in range(25):
        make_event(title=f"Meetup {number:02}")
    seen, path = [], "/e/"
    while path:
        page = client.get(path).text
        seen += re.findall(r"Meetup \d\d", page)
        following = re.search(r'rel="next" href="([^"]*)"', page)
        path = f"/e/{following[1]}".replace("&amp;", "&") if following else ""

    assert seen == [f"Meetup {number:02}" for number in range(25)]


# ── Asking for a seat ─────────────────────────────────────────────────────────────────────────────────────────────────


def ask(client, event):
    return client.post(reverse("page-register", args=[event.pk]), follow=True)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "You have a seat."),
        ({"requires_approval": True}, "The organizer has been asked."),
        ({"capacity": 1, "waitlist": True}, "You are number 1 on the waiting list."),
    ],
)
def test_the_button_books_at_once_and_says_where_one_stands(log_in, make_event, make_user, register, fields, sentence):
    event = make_event(**fields)
    if fields.get("capacity"):
        register(event)

    assert sentence in ask(log_in(make_user()), event).text


def test_who_presses_twice_has_one_registration(log_in, make_event, make_user):
    event, person = make_event(), make_user()

    pages = [ask(log_in(person), event) for _ in range(2)]

    assert [(page.status_code, "You have a seat." in page.text) for page in pages] == [(200, True)] * 2
    assert event.registrations.count() == 1


def test_a_refusal_stands_on_the_page_of_the_event(log_in, make_event, make_user, register):
    event = make_event(capacity=1)
    register(event)

    page = ask(log_in(make_user()), event)

    assert (page.status_code, "Every seat of this event is taken." in page.text) == (409, True)


def test_who_is_not_signed_in_comes_back_to_the_event(client, make_event):
    event = make_event()

    answer = client.post(reverse("page-register", args=[event.pk]))

    assert answer["Location"] == f"/login/?next=%2Fe%2F{event.pk}%2Fregister%2F"
    assert client.get(f"/e/{event.pk}/register/")["Location"] == f"/e/{event.pk}/"


# ── For robots ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_sitemap_has_what_is_still_to_come(client, make_event, now):
    coming = make_event(title="Come & see")
    for fields in (
        {"status": "draft"},
        {"status": "cancelled"},
        {"date": now - timedelta(days=1)},
        {"deleted_at": now},
    ):
        make_event(**fields)

    page = client.get("/sitemap.xml")

    assert page["Content-Type"] == "application/xml"
    assert re.findall(r"/e/(\d+)/", page.text) == [str(coming.pk)]


def test_robots_are_told_where_not_to_go(client):
    page = client.get("/robots.txt")

    assert page["Content-Type"] == "text/plain; charset=utf-8"
    assert {"Disallow: /r/", "Disallow: /t/", "Disallow: /manage/"} < set(page.text.splitlines())


# ── Browsers and programs at one address ──────────────────────────────────────────────────────────────────────────────

BROWSERS = {
    "firefox": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "chromium": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
}
PROGRAMS = {
    "java": "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2",
    "go": None,
    "curl": "*/*",
    "requests": "*/*",
    "fetch": "*/*",
    "json": "application/json",
}


@pytest.mark.parametrize("browser", BROWSERS)
def test_a_browser_is_led_from_the_api_to_the_page(client, make_event, browser):
    event, headers = make_event(), {"Accept": BROWSERS[browser]}

    answers = [
        client.get(path, headers=headers) for path in ("/events/?tag=a", f"/events/{event.pk}/", "/registrations/7/")
    ]

    assert [answer.status_code for answer in answers] == [302] * 3
    assert [answer["Location"] for answer in answers] == ["/e/?tag=a", f"/e/{event.pk}/", "/me/registrations/7/"]
    assert {answer["Vary"] for answer in answers} == {"Accept, Authorization"}


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_gets_json(client, make_event, program):
    headers = {"Accept": PROGRAMS[program]} if PROGRAMS[program] else {}

    answers = [client.get(path, headers=headers) for path in ("/events/", f"/events/{make_event().pk}/")]

    assert [(answer.status_code, answer["Content-Type"]) for answer in answers] == [(200, "application/json")] * 2


@pytest.mark.parametrize("more", [{"Authorization": "Bearer x"}, {}])
def test_who_sends_a_token_or_asks_for_a_format_is_a_program(client, make_event, more):
    query = "" if more else "?format=json"

    answer = client.get(f"/events/{make_event().pk}/{query}", headers={"Accept": BROWSERS["firefox"], **more})

    assert answer.status_code == (401 if more else 200)


def test_nothing_but_a_reading_is_led_elsewhere(client):
    assert client.post("/events/", headers={"Accept": BROWSERS["firefox"]}).status_code == 401
    assert Event.objects.count() == 0
