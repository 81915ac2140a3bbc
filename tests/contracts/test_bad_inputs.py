"""Bad input over real HTTP: each gets the refusal that is written here, as a problem, and never a 500."""

import http.client
import json
import re
import socket
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.live import PASSWORD, UNLIMITED, Live, production, serve

JSON = {"Content-Type": "application/json"}
EVENT: dict[str, Any] = {"title": "Launch", "date": "2099-05-17T18:00:00Z", "location": "Berlin"}


@pytest.fixture(scope="session")
def ada(shared: Live) -> dict[str, str]:
    return shared.person("ada")


@pytest.fixture
def client(shared: Live, ada: dict[str, str]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=shared.url, headers=ada, timeout=30) as client:
        yield client


def refused(answer: httpx.Response, status: int) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == status


BODIES = {
    "empty": b"", "null": b"null", "array": b"[]", "text": b'"x"', "truncated": b'{"title": "x',
    "byte FF": b'{"title": "\xff"}',
    "byte order mark": b"\xef\xbb\xbf{}", "UTF-16": '{"title": "x"}'.encode("utf-16"), "NaN": b'{"capacity": NaN}',
    "1e400": b'{"capacity": 1e400}', "5,000 digits": b'{"capacity": ' + b"9" * 5000 + b"}",
    "2,000 arrays": b'{"tags": ' + b"[" * 2000 + b"]" * 2000 + b"}", "twice": b'{"title": "a", "title": "b"}',
    "half a pair": b'{"title": "\\ud800"}', "NUL": b'{"title": "\\u0000"}',
}  # fmt: skip


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
@pytest.mark.parametrize("path", ["/events/", "/users/register/", "/api/token/"])
def test_a_body_that_is_no_plain_object_is_refused(client: httpx.Client, path: str, body: bytes) -> None:
    refused(client.post(path, content=body, headers=JSON), 400)


def chunks(size: int) -> Iterator[bytes]:
    yield b'{"title": "'
    for _ in range(size // 1024):
        yield b"x" * 1024
    yield b'"}'


def test_a_large_body_is_refused_before_it_is_read(client: httpx.Client) -> None:
    refused(client.post("/events/", content=b" " * (256 * 1024 + 1), headers=JSON), 413)
    refused(client.post("/events/", content=chunks(257 * 1024), headers=JSON), 413)


@pytest.mark.parametrize("chunked", [True, False])
@pytest.mark.parametrize("size", [300 * 1024, 1000 * 1024])
def test_who_sends_all_before_listening_hears_why_it_was_refused(shared: Live, size: int, chunked: bool) -> None:
    """A connection that is closed on the sender is reset, and many clients then never read the answer."""
    for _ in range(20):
        with closing(http.client.HTTPConnection(shared.url.removeprefix("http://"), timeout=30)) as connection:
            body = chunks(size) if chunked else b" " * size
            connection.request("POST", "/events/", body=body, headers=JSON, encode_chunked=chunked)
            answer = connection.getresponse()
            assert (answer.status, json.loads(answer.read())["code"]) == (413, "body_too_large")


def test_a_body_in_chunks_is_asked_for_its_length(client: httpx.Client) -> None:
    pieces = (bytes([each]) for each in json.dumps(EVENT).encode())
    refused(client.post("/events/", content=pieces, headers=JSON), 411)


def test_a_header_name_with_underscores_stands_for_no_other(client: httpx.Client) -> None:
    """Of each other header it is held in `tests/api/http/test_gateway.py`; this one shows in the answer."""
    sent, claimed = str(uuid.uuid4()), str(uuid.uuid4())
    answer = client.get("/health/live/", headers=[("X-Request-ID", sent), ("X_Request_ID", claimed)])
    assert answer.headers["X-Request-ID"] == sent


@pytest.mark.parametrize("character", ["中", "\U0001f3ab"])
def test_whatever_the_document_allows_fits(client: httpx.Client, character: str) -> None:
    """As Python's requests writes it, with twelve characters for what is outside of the basic plane."""
    body = json.dumps({**EVENT, "title": character * 255, "description": character * 20_000})
    assert client.post("/events/", content=body, headers=JSON).status_code == 201


MEDIA = {
    "text/plain": 415, "application/xml": 415, "multipart/form-data; boundary=x": 415,
    "application/json; charset=utf-7": 415, "application/json; charset=UTF-8": 201,
}  # fmt: skip


@pytest.mark.parametrize(("media", "status"), MEDIA.items())
def test_bodies_are_json_in_utf_8(client: httpx.Client, media: str, status: int) -> None:
    answer = client.post("/events/", content=json.dumps(EVENT), headers={"Content-Type": media})
    assert answer.status_code == status


HEADERS = [
    ("POST", {**JSON, "Content-Encoding": "gzip"}, 415), ("GET", {"Accept": "application/xml"}, 406),
    ("GET", {"Host": "evil.example"}, 400), ("GET", {"X-HTTP-Method-Override": "DELETE"}, 200), ("TRACE", {}, 405),
    ("GET", {"Authorization": "Bearer"}, 401), ("GET", {"Authorization": "Bearer two words"}, 401),
    ("GET", {"Authorization": b"Bearer \xff\xff"}, 401), ("GET", {"Authorization": "Bearer " + "x" * 8192}, 401),
    ("GET", {"Authorization": ""}, 401),
]  # fmt: skip


@pytest.mark.parametrize(("method", "headers", "status"), HEADERS)
def test_odd_headers_are_refused_or_ignored(client: httpx.Client, method: str, headers: Any, status: int) -> None:
    answer = client.request(method, "/events/", headers=headers, content=b"{}" if method == "POST" else None)
    assert answer.status_code == status
    assert status == 200 or answer.headers["Content-Type"] == "application/problem+json"


QUERIES = """\
date=2026-13 date=26 date=2026-02-30 date=2026/05 date=9999 date=%00 date=%D9%A2%D9%A0%D9%A2%D9%A6 timezone=Mars/Base
organizer=abc organizer=0 organizer=1111111111111111111111111111111111111111 organizer=%00 cursor=forged cursor=%00
page_size=0 page_size=-1 page_size=101 page_size=1e3 ordering=password title=%00 title=a&title=b
date_from=2030-01-01T00:00:00Z&date_to=2029-01-01T00:00:00Z title=%FF has_seats=maybe status=gone count=some
"""


@pytest.mark.parametrize(
    "query", [*QUERIES.split(), "search=" + "x" * 10_000, "&".join(f"p{n}=1" for n in range(2000))]
)
def test_a_query_that_cannot_be_meant_is_refused_by_name(client: httpx.Client, query: str) -> None:
    answer = client.get(f"/events/?{query}")
    refused(answer, 400)
    named = [entry["parameter"] for entry in answer.json().get("errors", [])]
    assert set(named) == (set() if query.startswith("p0=") else {query.partition("=")[0]})


def test_an_address_that_is_too_long_is_refused(client: httpx.Client) -> None:
    refused(client.get("/events/?title=" + "x" * 20_000), 414)


CAPACITIES: list[Any] = [0, -1, 2**31, 1.5, True, "1_000", "٥"]
DATES: list[Any] = [
    "2099-05-17T18:00:00", "2020-01-01T00:00:00Z", "2030-W01-1", "2030-01-01T24:00:00Z", "0000-01-01T00:00:00Z",
    "9999-12-31T23:59:59-14:00", 1, [], {},
]  # fmt: skip
FIELDS: list[tuple[str, Any]] = [
    *(("title", value) for value in ("", " ", "x" * 256, 7, None, "a\r\nb", "a\x0bb", "a\u2028b", "\u200b\u2060")),
    *(("date", value) for value in DATES),
    *(("capacity", value) for value in CAPACITIES),
    ("ends_at", EVENT["date"]), ("ends_at", "2099-05-17T17:00:00Z"), ("timezone", "Mars/Base"), ("tags", "one"),
    ("status", "cancelled"), ("status", []), ("waitlist", "true"), ("description", 5),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value"), FIELDS)
def test_an_event_with_a_wrong_field_is_refused_by_name(client: httpx.Client, field: str, value: Any) -> None:
    answer = client.post("/events/", json=EVENT | {field: value})
    refused(answer, 400)
    assert {re.match(r"#/(\w+)", entry["pointer"])[1] for entry in answer.json()["errors"]} <= {field, "date"}  # type: ignore[index]


@pytest.mark.parametrize("number", ["0", "-1", str(2**63), "abc", "1.0", "%00", "01"])
def test_what_is_no_id_leads_nowhere(client: httpx.Client, number: str) -> None:
    for path in (f"/events/{number}/", f"/registrations/{number}/", f"/events/{number}/register/"):
        refused(client.get(path), 404)


def test_members_that_are_not_the_clients_are_ignored(client: httpx.Client) -> None:
    made = client.post("/events/", json=EVENT | {"organizer": 999, "id": 999, "seats_taken": 5}).json()
    me = client.get("/users/me/").json()["id"]
    assert (made["organizer"], made["seats_taken"]) == (me, 0)
    assert made["id"] != 999


EMAILS = [
    "ADA@EXAMPLE.ORG",
    "a@b.co\r\nBcc: x@y.z",
    "a@b.co,c@d.co",
    "a@b@c.co",
    "ı@example.org",
    "a",
    7,
    None,
    ["a@b.co"],
]
PASSWORDS = ["short", "password", "grace-hopper", " " * 12, "12345678", "x" * 1025, [PASSWORD], {}, 12345678, None]


@pytest.mark.parametrize(
    "wrong", [*({"email": email} for email in EMAILS), *({"password": password} for password in PASSWORDS)], ids=str
)
def test_an_account_with_a_wrong_field_is_refused(client: httpx.Client, wrong: dict[str, Any]) -> None:
    account = {"username": "grace-hopper", "email": "grace@example.org", "password": PASSWORD}
    refused(client.post("/users/register/", json=account | wrong), 400)


@pytest.mark.parametrize("password", [["x"], {"x": 1}, 5, None])
def test_a_password_is_text(client: httpx.Client, password: Any) -> None:
    refused(client.post("/api/token/", json={"username": "ada", "password": password}), 400)


def test_a_refresh_token_is_nothing_else(client: httpx.Client, shared: Live) -> None:
    access = shared.log_in("ada")["Authorization"].split()[1]
    for wrong in ("junk", access, "a.b.c"):
        refused(client.post("/api/token/refresh/", json={"refresh": wrong}), 401)


def test_what_is_no_http_ends_the_connection_and_not_the_service(client: httpx.Client, shared: Live) -> None:
    host, port = shared.url.removeprefix("http://").split(":")
    with socket.create_server(("127.0.0.1", 0)), socket.create_connection((host, int(port)), timeout=10) as raw:
        raw.sendall(b"\x16\x03\x01 not http\r\n\r\n")
        assert not raw.recv(4096).startswith(b"HTTP/1.1 5")
    assert client.get("/health/live/").status_code == 200


def test_a_hundred_at_once_get_exactly_what_the_limit_says(tmp_path: Path) -> None:
    """Two processes count as one. Stock REST framework let 88 through."""
    limits = UNLIMITED | {"RATE_ANON": "10/day"}
    with (
        serve(tmp_path, **production(tmp_path, **limits), WEB_WORKERS="2", LOG_LEVEL="ERROR") as limited,
        httpx.Client(base_url=limited.url, timeout=30) as client,
        ThreadPoolExecutor(32) as threads,
    ):
        answers = list(threads.map(lambda _: client.get("/events/"), range(100)))

    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200] * 10 + [429] * 90
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers if answer.status_code == 429)
