"""The main job over real servers: from nothing to a confirmed registration in the inbox, and its cancellation."""

import re
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.e2e.inbox import wait_for
from tests.e2e.service import Service

PASSWORD = "correct horse battery 9"


def sign_up(client: httpx.Client, name: str) -> dict[str, str]:
    """Open an account and log in; returns the Authorization header and the address."""
    email = f"{name}@example.org"
    account = {"username": name, "email": email, "password": PASSWORD, "timezone": "Europe/Berlin"}
    assert client.post("/users/register/", json=account).status_code == 201
    pair = client.post("/api/token/", json={"username": email.upper(), "password": PASSWORD}).json()
    return {"Authorization": f"Bearer {pair['access']}", "email": email}


def header(person: dict[str, str]) -> dict[str, str]:
    return {"Authorization": person["Authorization"]}


@pytest.fixture
def client(stack: Service) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.api, timeout=30) as client:
        yield client


@pytest.fixture
def people(client: httpx.Client) -> tuple[dict[str, str], dict[str, str]]:
    suffix = uuid.uuid4().hex[:8]
    return sign_up(client, f"organizer-{suffix}"), sign_up(client, f"guest-{suffix}")


def test_from_nothing_to_a_confirmed_seat_and_back(stack: Service, client: httpx.Client, people: Any):
    organizer, guest = people
    wanted = {"title": "Launch night", "date": "2099-06-01T18:00:00Z", "location": "Berlin", "capacity": 1}
    event = client.post("/events/", json=wanted, headers=header(organizer)).json()

    registered = client.post(f"/events/{event['id']}/register/", headers=header(guest))
    assert (registered.status_code, registered.json()["status"]) == (201, "confirmed")
    confirmation = wait_for(stack.inbox, to=guest["email"], subject="onfirmed")
    assert "confirmed" in confirmation["text"].lower()
    assert "Launch night" in confirmation["html"]
    assert "20:00" in confirmation["text"]  # 18:00 UTC where the guest lives

    cancelled = client.delete(f"/registrations/{registered.json()['id']}/", headers=header(organizer))
    assert cancelled.status_code == 204
    second = wait_for(stack.inbox, to=guest["email"], subject="cancelled")
    assert second["id"] != confirmation["id"]
    assert client.get(f"/events/{event['id']}/").json()["seats_left"] == 1


def test_the_link_of_the_welcome_mail_confirms_the_address(stack: Service, client: httpx.Client, people: Any):
    _, guest = people

    welcome = wait_for(stack.inbox, to=guest["email"], subject="")
    token = re.search(r"token=([\w:.-]+)", welcome["text"])
    assert token
    answer = client.post("/users/verify-email/", json={"token": token[1]})

    assert answer.status_code == 204
    assert client.get("/users/me/", headers=header(guest)).json()["email_verified"] is True


def test_a_full_event_says_so_and_the_list_moves_up(stack: Service, client: httpx.Client, people: Any):
    organizer, guest = people
    wanted = {"title": "Tiny room", "date": "2099-06-01T18:00:00Z", "location": "Kyiv", "capacity": 1, "waitlist": True}
    event = client.post("/events/", json=wanted, headers=header(organizer)).json()
    own = client.post(f"/events/{event['id']}/register/", headers=header(organizer)).json()

    waiting = client.post(f"/events/{event['id']}/register/", headers=header(guest)).json()
    assert (waiting["status"], waiting["position"]) == ("waitlisted", 1)
    client.patch(f"/registrations/{own['id']}/", json={"status": "cancelled"}, headers=header(organizer))

    assert client.get(f"/registrations/{waiting['id']}/", headers=header(guest)).json()["status"] == "confirmed"
    wait_for(stack.inbox, to=guest["email"], subject="You have a seat")
