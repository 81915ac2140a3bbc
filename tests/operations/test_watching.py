"""What an operator sees of real processes: figures that add up, a log without personal data, signs of life."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.operations.installation import NO_TLS, Installation, until
from tests.servers import free_port

TOKEN = "let-prometheus-in"
NAME, PASSWORD = "zebulon", "kept between us 7"
REQUESTS = 40
JSON = {"Content-Type": "application/json"}


def call(installation: Installation, method: str, path: str, **options: Any) -> httpx.Response:
    """On a connection of its own, so that any of the processes may take it."""
    return httpx.request(method, installation.api + path, timeout=30, verify=NO_TLS, **options)


def figures(address: str) -> dict[tuple[str, ...], float]:
    """By name and values of the labels."""
    answer = httpx.get(address, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30, verify=NO_TLS)
    assert answer.status_code == 200
    found = (sample for family in text_string_to_metric_families(answer.text) for sample in family.samples)
    return {(sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value for sample in found}


@pytest.fixture
def watched(installation: Installation) -> dict[str, str]:
    """Web, worker and sweeper run; the address of each one's figures."""
    ports = {part: str(free_port()) for part in ("worker", "sweeper")}
    installation.start("web", METRICS_TOKEN=TOKEN, RATE_LOGIN="1/hour")
    for part, port in ports.items():
        installation.start(
            part, METRICS_PORT=port, METRICS_TOKEN=TOKEN, HEARTBEAT=str(installation.folder / f"{part}.alive")
        )
    until(installation.is_ready)
    return {
        "web": f"{installation.api}/metrics",
        **{part: f"http://127.0.0.1:{port}/" for part, port in ports.items()},
    }


def test_figures_add_up_over_processes_and_who_works_shows_signs_of_life(
    installation: Installation, watched: dict[str, str]
) -> None:
    event, tokens = installation.seed(guests=10, capacity=8)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: call(installation, "GET", "/events/"), range(REQUESTS)))
        list(pool.map(lambda token: seat(installation, event, token), tokens))
    for _ in range(3):
        call(installation, "POST", "/api/token/", json={"username": NAME, "password": PASSWORD})
    until(lambda: len(installation.mail.received) == 10)

    web = [figures(watched["web"]) for _ in range(6)]
    senders = [figures(watched[part]) for part in ("worker", "sweeper")]
    seen = [
        {
            figure["jointoit_http_requests_total", "GET", "events/", "200"],
            figure["jointoit_http_request_seconds_count", "GET", "events/"],
        }
        for figure in web
    ]
    assert seen == [{REQUESTS}] * 6  # whichever of the two processes was asked
    last = web[-1]
    assert last["jointoit_registrations_total", "confirmed"] == last["jointoit_coming", "taken"] == 8
    assert last["jointoit_registrations_total", "waitlisted"] == last["jointoit_coming", "waiting"] == 2
    assert last["jointoit_throttled_total", "login"] == 2
    assert last["jointoit_http_requests_total", "POST", "api/token/", "429"] == 2
    assert last["jointoit_outbox_mails", "pending"] == last["jointoit_outbox_oldest_seconds",] == 0
    assert any(name[0].startswith("jointoit_database_") for name in last)
    assert sum(figure.get(("jointoit_mail_attempts_total", "sent"), 0) for figure in senders) == 10
    until(lambda: all((installation.folder / f"{part}.alive").exists() for part in ("worker", "sweeper")))


def seat(installation: Installation, event: int, token: str) -> httpx.Response:
    return call(installation, "POST", f"/events/{event}/register/", headers={"Authorization": f"Bearer {token}"})


def test_each_request_is_one_line_of_the_log_which_tells_nothing_personal(
    installation: Installation,
) -> None:
    installation.log("web").unlink(missing_ok=True)
    installation.start("web")
    until(installation.is_ready)
    email, name, identifier = f"{NAME}@example.org", "Ångström", str(uuid.uuid4())
    account = {"username": NAME, "email": email, "password": PASSWORD, "first_name": name}
    call(installation, "POST", "/users/register/", json=account)
    token = call(installation, "POST", "/api/token/", json={"username": email, "password": PASSWORD}).json()["access"]
    headers = {"Authorization": f"Bearer {token}", "X-Request-ID": identifier, "User-Agent": "secret-agent"}
    user = call(installation, "GET", "/users/me/?note=whispered", headers=headers).json()["id"]
    call(installation, "GET", f"/no/such/{NAME}/")
    call(installation, "POST", "/users/register/", content=b'{"username": "zebulon', headers=JSON)
    installation.stop("web")

    said = installation.said("web")
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    requests = [line for line in lines if line.get("event") == "request"]
    (own,) = [line for line in requests if line["request_id"] == identifier]
    assert [line["status"] for line in requests] == [201, 200, 200, 404, 400]
    assert (own["user_id"], own["route"], own["method"], own["status"]) == (user, "users/me/", "GET", 200)
    assert all(uuid.UUID(line["request_id"]).version == 4 and line["milliseconds"] >= 0 for line in requests)
    personal = [NAME, email, PASSWORD, name, "ngstr", token, "whispered", "secret-agent"]
    assert [word for word in personal if word in said] == []
    assert {line["event"] for line in lines if "127.0.0.1" in str(line)} == {"security"}
