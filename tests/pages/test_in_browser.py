"""What only a browser can prove: the walk by keys alone and without scripts, the camera, a door without network."""

import io
from datetime import timedelta

import pytest
from django.urls import reverse
from PIL import Image
from playwright.sync_api import expect

from jointoit.accounts.callers import Caller
from jointoit.checkin import tickets
from jointoit.checkin.models import Scan
from jointoit.events import door_passes
from jointoit.tickets import qr
from tests.browser import barriers, chromium
from tests.pages.test_mailed import link_of

pytestmark = pytest.mark.django_db(transaction=True)
TAB_LIMIT = 60


def press_on(page, name):
    """Go to a link, a field or a button by the tabulator alone, and press it."""
    for _ in range(TAB_LIMIT):
        page.keyboard.press("Tab")
        found = page.evaluate("(document.activeElement.innerText || document.activeElement.name || '').trim()")
        if found == name:
            return
    raise AssertionError(f"{name} is not reached by keys on {page.url}")


def test_a_seat_is_taken_shown_and_given_up_by_keys_alone_on_a_small_screen_without_scripts(
    open_browser, make_event, statuses
):
    event = make_event(title="Chess in the park")
    page = open_browser(viewport={"width": 320, "height": 640}).new_page()
    page.route("**/*.js", lambda route: route.abort())
    page.goto(f"/events/{event.pk}/")

    press_on(page, "first_name")
    page.keyboard.type("Ada")
    press_on(page, "email")
    page.keyboard.type("ada@example.org")
    press_on(page, "Take a seat")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Look into your inbox")).to_be_visible()
    page.goto(link_of("registration_link")[0])
    press_on(page, "Take a seat")
    page.keyboard.press("Enter")
    page.wait_for_url("**/me/registrations/**")
    expect(page.get_by_role("heading", name="You have a seat.")).to_be_visible()
    press_on(page, "Show the ticket large")
    page.keyboard.press("Enter")
    page.wait_for_url("**/t/**")
    expect(page.locator("svg").last).to_be_visible()
    page.go_back()
    press_on(page, "Cancel my seat")
    page.keyboard.press("Enter")
    page.wait_for_url("**/cancel/")
    press_on(page, "Cancel my seat")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your registration is cancelled.")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert statuses(event.registrations.get()) == ["cancelled"]


def test_the_walk_needs_no_scripts_at_all(open_browser, make_event, make_user, statuses):
    event, guest = make_event(), make_user()
    page = open_browser(guest, java_script_enabled=False).new_page()
    page.goto(f"/events/{event.pk}/")

    page.get_by_role("button", name="Take a seat").click()
    page.get_by_role("link", name="Cancel my seat").click()
    page.get_by_role("button", name="Cancel my seat").click()

    expect(page.get_by_role("heading", name="Your registration is cancelled.")).to_be_visible()
    assert statuses(event.registrations.get()) == ["cancelled"]


def test_a_form_without_a_label_is_a_barrier(open_browser):
    """The control of the tests that find none."""
    page = open_browser().new_page()
    page.set_content("<main><h1>Form</h1><input name=unnamed></main>")

    assert [line.partition(":")[0] for line in barriers(page)] == ["document-title", "html-has-lang", "label"]


# ── The door ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def seat(make_event, make_user, register, now):
    event = make_event(title="Chess in the park", date=now + timedelta(hours=1))
    return register(event, make_user(username="grace", first_name="Grace", last_name="Hopper"))


def path_of(event):
    return reverse("page-door", args=[event.pk])


def type_in(page, text):
    page.get_by_label("Code or scanner").fill(text)
    page.keyboard.press("Enter")  # as a hand scanner does


def test_a_ticket_is_let_in_once_and_taken_back(open_browser, seat):
    page = open_browser(seat.event.organizer, viewport={"width": 390, "height": 844}).new_page()
    page.goto(path_of(seat.event))
    answer = page.locator("[data-answer]")

    type_in(page, tickets.issued(seat).code.lower())
    expect(answer).to_contain_text("Come in")
    expect(answer).to_contain_text("Grace")
    assert barriers(page) == []
    answer.get_by_role("button").click()
    type_in(page, tickets.issued(seat).token)
    expect(answer).to_contain_text("Already in")
    answer.get_by_role("button").click()
    page.locator("[data-last]").get_by_role("button", name="Undo").first.click()
    expect(page.locator("[data-last]")).to_contain_text("Taken back")

    scans = Scan.objects.order_by("received_at")
    assert [(scan.result, scan.undone_at is not None) for scan in scans] == [("admitted", True), ("refused", False)]


def test_without_network_scans_wait_here_outlive_the_page_and_are_sent_later(open_browser, seat):
    context = open_browser(seat.event.organizer)
    page = context.new_page()
    page.goto(path_of(seat.event))
    expect(page.locator("[data-ready]")).to_be_visible()
    answer, ticket = page.locator("[data-answer]"), tickets.issued(seat)
    context.set_offline(True)

    type_in(page, ticket.token)
    expect(answer).to_contain_text("Queued, not checked in yet")
    assert Scan.objects.count() == 0
    page.reload()
    type_in(page, ticket.token)
    expect(answer).to_contain_text("Already in")
    answer.get_by_role("button").click()
    type_in(page, ticket.token[:-4] + "AAAA")
    expect(answer).to_contain_text("Not one of our tickets")
    answer.get_by_role("button").click()
    type_in(page, ticket.code)
    expect(answer).to_contain_text("Cannot be checked without network")
    answer.get_by_role("button").click()
    expect(page.locator("[data-network]")).to_contain_text("No network")
    context.set_offline(False)
    expect(page.locator("[data-network]")).to_be_hidden(timeout=20_000)

    assert [(scan.result, scan.registration_id) for scan in Scan.objects.all()] == [("admitted", seat.pk)]
    context.clear_cookies()
    page.goto(path_of(seat.event))  # leads to the log-in, and whoever is sent away keeps nothing of the page
    assert page.evaluate("path => caches.match(path).then((kept) => !kept)", path_of(seat.event))


def test_the_camera_reads_a_ticket(playwright, live_server, log_in, seat, tmp_path):
    picture = Image.open(io.BytesIO(qr.png(tickets.issued(seat).token))).convert("RGB")
    frame, jpeg = Image.new("RGB", (640, 480), "white"), io.BytesIO()
    frame.paste(picture.resize((400, 400)), (120, 40))
    frame.save(jpeg, "JPEG", quality=95)
    film = tmp_path / "ticket.mjpeg"
    film.write_bytes(jpeg.getvalue() * 20)
    session = log_in(seat.event.organizer).cookies["sessionid"].value
    fake = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")

    with chromium(playwright, *fake, f"--use-file-for-fake-video-capture={film}") as browser:
        context = browser.new_context(base_url=live_server.url)
        context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
        page = context.new_page()
        page.goto(path_of(seat.event))
        page.get_by_role("button", name="Scan with the camera").click()
        expect(page.locator("[data-answer]")).to_contain_text("Come in", timeout=30_000)

    assert [scan.registration_id for scan in Scan.objects.all()] == [seat.pk]


def test_a_helper_without_an_account_comes_by_a_link_and_needs_no_scripts(open_browser, seat, now):
    caller = Caller(seat.event.organizer)
    _pass, text = door_passes.create(caller=caller, event_id=seat.event_id, label="Left", now=now)
    page = open_browser(java_script_enabled=False).new_page()
    page.goto(reverse("page-door-enter", args=[text]))

    page.get_by_role("button", name="Start").click()
    page.get_by_label("Code or scanner").fill(tickets.issued(seat).code)
    page.get_by_role("button", name="Check the ticket").click()

    expect(page.locator("section.answer[role=status]")).to_contain_text("Come in")
    assert [(scan.result, scan.actor_kind) for scan in Scan.objects.all()] == [("admitted", "door")]


def test_execute_in_the_documentation_fetches_a_calendar(open_browser, make_event):
    event, page = make_event(), open_browser().new_page()
    page.goto("/api/docs/#/events/event_calendar_retrieve")
    operation = page.locator("#operations-events-event_calendar_retrieve")
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_placeholder("id").fill(str(event.pk))

    with page.expect_response("**/calendar.ics") as told:
        operation.get_by_role("button", name="Execute").click()

    assert (told.value.status, told.value.request.headers["accept"]) == (200, "text/calendar")
