"""The main round as people take it: in browsers, over real servers, by the links of real mails."""

import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.inbox import wait_for
from tests.e2e.test_round import PASSWORD, header, sign_up


@pytest.fixture
def api(stack: Any) -> Any:
    with httpx.Client(base_url=stack.api, timeout=30) as client:
        yield client


def path_in(mail: dict[str, Any], words: str) -> str:
    """Path and query of the link whose words these are."""
    [link] = re.findall(rf'<a[^>]*href="([^"]+)"[^>]*>{words}</a>', mail["html"])
    parts = urlsplit(link.replace("&amp;", "&"))
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def enter(page: Page, path: str, name: str) -> None:
    page.goto(path)
    page.get_by_label("Name or e-mail").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def test_from_a_mail_to_a_seat_the_door_and_back(stack: Any, api: httpx.Client, browser: Browser) -> None:
    mark = uuid.uuid4().hex[:8]
    organizer, following = sign_up(api, f"host-{mark}"), sign_up(api, f"next-{mark}")
    soon = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    wanted = {"title": "Chess", "date": soon, "location": "Berlin", "capacity": 1, "waitlist": True}
    event = api.post("/events/", json=wanted, headers=header(organizer)).json()["id"]
    address = f"guest-{mark}@example.org"
    phone, door = (browser.new_context(base_url=stack.api).new_page() for _ in range(2))

    phone.goto(f"/events/{event}/")
    phone.get_by_label("First name").fill("Grace")
    phone.get_by_label("E-mail").fill(address)
    phone.get_by_role("button", name="Take a seat").click()
    expect(phone.get_by_role("heading", name="Look into your inbox")).to_be_visible()
    phone.goto(path_in(wait_for(stack.inbox, to=address, subject="One more step"), "Register"))
    phone.get_by_role("button", name="Take a seat").click()
    expect(phone.get_by_role("heading", name="You have a seat.")).to_be_visible()
    code = phone.locator(".code").inner_text()
    assert api.post(f"/events/{event}/register/", headers=header(following)).json()["status"] == "waitlisted"

    enter(door, f"/door/{event}/", f"host-{mark}")
    door.wait_for_load_state()  # whoever is quicker than the scripts is answered by the page that follows
    door.get_by_label("Code or scanner").fill(code)
    door.keyboard.press("Enter")
    expect(door.locator("[data-answer]")).to_contain_text("Come in")

    confirmed = wait_for(stack.inbox, to=address, subject="onfirmed")
    stranger = browser.new_context(base_url=stack.api).new_page()
    stranger.goto(path_in(confirmed, "Cancel my registration"))
    stranger.get_by_role("button", name="Cancel my seat").click()
    expect(stranger.get_by_role("heading", name="Your registration is cancelled.")).to_be_visible()
    promoted = wait_for(stack.inbox, to=following["email"], subject="You have a seat")
    assert "Chess" in promoted["text"]
    for page in (phone, door, stranger):
        page.context.close()
