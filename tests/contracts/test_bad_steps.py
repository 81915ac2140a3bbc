"""Steps that the state of things or the person forbids, over real HTTP, and what is refused of accounts and tokens."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import httpx
import pytest

from tests.contracts.provocations import EVENTS, decide, revive
from tests.contracts.scene import Call, Scene
from tests.live import PASSWORD, UNLIMITED, production, serve

ME = Call("GET", "/users/me/")


def refused(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["Content-Type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["code"]


def without_id(answer: httpx.Response) -> bytes:
    return answer.content.replace(answer.headers["X-Request-ID"].encode(), b"")


# ── Registrations ──


def test_registering_needs_a_token_and_an_event_that_is_there(scene: Scene) -> None:
    draft = scene.event(status="draft")
    answers = [
        scene.send(Call("POST", f"/events/{event}/register/", who))
        for event, who in ((draft, None), (draft, scene.ben), (2**62, scene.ben))
    ]

    assert [refused(answer) for answer in answers] == [(401, "not_authenticated"), *[(404, "not_found")] * 2]
    assert without_id(answers[1]) == without_id(answers[2])


CLOSED = {
    "full": "event_full", "cancelled": "event_cancelled", "over": "event_over", "begun": "event_started",
    "not open": "registration_not_open", "closed": "registration_closed",
}  # fmt: skip


@pytest.mark.parametrize(("made", "code"), CLOSED.items())
def test_an_event_that_takes_nobody_says_why(scene: Scene, made: str, code: str) -> None:
    call = Call("POST", f"/events/{EVENTS[made](scene)}/register/", scene.ben)
    assert refused(scene.send(call)) == (409, code)


def test_asking_twice_leads_to_the_first(scene: Scene) -> None:
    event = scene.event()
    first = scene.registration(event)
    again = scene.send(Call("POST", f"/events/{event}/register/", scene.ben))

    assert refused(again) == (409, "already_registered")
    assert f"/registrations/{first}/" in again.text


def test_what_a_body_says_of_status_and_person_is_ignored(scene: Scene) -> None:
    event = scene.event(requires_approval=True)
    body = {"status": "confirmed", "user": scene.cleo.id, "attendee": scene.cleo.id}
    made = scene.made(Call("POST", f"/events/{event}/register/", scene.ben, json=body))

    assert (made["status"], made["attendee"]["id"]) == ("pending", scene.ben.id)


def test_anothers_registration_looks_like_a_missing_one(scene: Scene) -> None:
    hidden = scene.send(Call("GET", f"/registrations/{scene.registration()}/", scene.cleo))
    missing = scene.send(Call("GET", f"/registrations/{2**62}/", scene.cleo))

    assert refused(hidden) == (404, "not_found")
    assert without_id(hidden) == without_id(missing)


def test_steps_of_the_wrong_person_and_impossible_ones_are_refused(scene: Scene) -> None:
    path = f"/registrations/{scene.registration()}/"
    unknown = scene.send(Call("PATCH", path, scene.ben, json={"status": "gone"}))

    assert refused(scene.send(decide("PATCH", "confirmed", who="ben")(scene))) == (403, "not_yours_to_decide")
    assert refused(scene.send(revive("PATCH")(scene))) == (409, "impossible_step")
    assert refused(unknown) == (400, "invalid")
    assert [entry["pointer"] for entry in unknown.json()["errors"]] == ["#/status"]
    assert refused(scene.send(Call("DELETE", path, scene.ben))) == (403, "not_yours_to_decide")


def test_an_event_keeps_its_seats_and_its_readers_apart(scene: Scene) -> None:
    event = scene.event(capacity=2)
    for who in (scene.ben, scene.cleo):
        scene.registration(event, who)
    stale = Call("PATCH", f"/events/{event}/", scene.ada, json={"title": "x"}, headers={"If-Match": '"stale"'})

    assert refused(scene.send(Call("PATCH", f"/events/{event}/", scene.ada, json={"capacity": 1}))) == (
        409,
        "capacity_below_confirmed",
    )
    assert refused(scene.send(stale)) == (412, "precondition_failed")


@pytest.mark.parametrize("bend", [lambda cursor: cursor[:-3], lambda cursor: cursor[::-1], lambda cursor: "x" * 40])
def test_a_cursor_is_good_for_its_own_list_only(scene: Scene, bend: Any) -> None:
    for _ in range(3):
        scene.event()
    page = scene.made(Call("GET", "/events/?page_size=1"))
    cursor = httpx.URL(page["next"]).params["cursor"]
    wrong = [f"/events/?page_size=1&cursor={bend(cursor)}", f"/events/?ordering=-date&cursor={cursor}"]
    answers = [scene.send(Call("GET", path)) for path in wrong]
    answers.append(scene.send(Call("GET", f"/registrations/?cursor={cursor}", scene.ben)))

    assert [refused(answer) for answer in answers] == [(400, "invalid")] * 3
    assert {answer.json()["errors"][0]["parameter"] for answer in answers} == {"cursor"}


def test_signs_of_patterns_find_themselves(scene: Scene) -> None:
    made = scene.event(title=r"100%_\ sure")
    scene.event(title="100 percent sure")
    found = scene.made(Call("GET", "/events/?title=100%25_%5C"))

    assert [event["id"] for event in found["results"]] == [made]


# ── Accounts ──


@pytest.mark.parametrize(
    "password", ["correct " * 8, "correct horse " * 9 + "xy", "🐎🔋📎 emoji 9", "  inner  and outer  "]
)
def test_a_password_counts_exactly_as_it_was_sent(scene: Scene, password: str) -> None:
    name = f"exact{len(password)}"
    account = {**scene.account(name), "password": password, "is_staff": True, "is_superuser": True}
    made = scene.made(Call("POST", "/users/register/", json=account))
    tries = [scene.send(Call("POST", "/api/token/", json={"username": name, "password": each})).status_code
             for each in (password, password.strip() + "x", password + " ")]  # fmt: skip

    assert "password" not in json.dumps(made)
    assert tries == [200, 401, 401]
    scene.database.rollback()
    staff = scene.database.execute("SELECT is_staff, is_superuser FROM accounts_user WHERE username = %s", [name])
    assert staff.fetchone() == (False, False)
    scene.release()


def test_the_tokens_of_a_closed_account_are_dead(scene: Scene) -> None:
    who = scene.person()
    login = {"username": who.name, "password": PASSWORD}
    pair = scene.made(Call("POST", "/api/token/", json=login))
    scene.made(Call("DELETE", "/users/me/", who, json={"password": PASSWORD}))

    assert refused(scene.send(ME.but(who=who))) == (401, "token_not_valid")
    assert refused(scene.send(Call("POST", "/api/token/refresh/", json={"refresh": pair["refresh"]})))[0] == 401
    assert refused(scene.send(Call("POST", "/api/token/", json=login))) == (401, "wrong_credentials")


def test_the_scheme_of_a_token_comes_in_any_case(scene: Scene) -> None:
    token = scene.ada.token["Authorization"].removeprefix("Bearer ")
    assert scene.send(ME.but(headers={"Authorization": f"bearer {token}"})).status_code == 200


def test_one_refresh_token_used_eight_times_at_once_has_one_living_successor(scene: Scene) -> None:
    """The race itself; tests/accounts has its control without the lock."""
    refresh, start = scene.refresh(), Barrier(8)

    def use(_: int) -> httpx.Response:
        with httpx.Client(base_url=scene.live.url, timeout=60) as client:
            start.wait(timeout=60)
            return client.post("/api/token/refresh/", json={"refresh": refresh})

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(use, range(8)))
    successors = {answer.json()["refresh"] for answer in answers}

    assert [answer.status_code for answer in answers] == [200] * 8
    assert len(successors) == 1
    assert scene.send(Call("POST", "/api/token/refresh/", json={"refresh": successors.pop()})).status_code == 200


def test_a_hundred_claimed_addresses_have_one_bucket(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("claims")
    limits = UNLIMITED | {"RATE_ANON": "10/day"}
    with serve(folder, **production(folder, **limits), LOG_LEVEL="ERROR") as live, httpx.Client(timeout=60) as client:
        claims = [{"X-Forwarded-For": f"203.0.113.{number}"} for number in range(100)]
        statuses = [client.get(f"{live.url}/events/", headers=claim).status_code for claim in claims]

    assert statuses == [200] * 10 + [429] * 90
