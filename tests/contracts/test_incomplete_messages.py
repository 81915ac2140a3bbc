"""A message that ends before its end is never carried out (RFC 9112 section 8)."""

import json
import socket
from collections.abc import Iterator

import httpx
import pytest

from tests.live import UNLIMITED, Live, serve

BODY = json.dumps({"title": "Cut", "date": "2099-05-17T18:00:00Z", "location": "Berlin"}).encode()


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with serve(tmp_path_factory.mktemp("incomplete"), **UNLIMITED) as live:
        yield live


@pytest.fixture(scope="module")
def token(live: Live) -> str:
    return live.person("ada")["Authorization"]


def chunk(body: bytes, *, said: int | None = None) -> bytes:
    return b"%x\r\n%b\r\n" % (said or len(body), body)


SENT = {
    "a length that is too large": (f"Content-Length: {len(BODY) + 50}", BODY, False),
    "no last chunk": ("Transfer-Encoding: chunked", chunk(BODY), False),
    "half a chunk": ("Transfer-Encoding: chunked", chunk(BODY, said=len(BODY) + 20), False),
    "half of the last chunk": ("Transfer-Encoding: chunked", chunk(BODY) + b"0\r\n", False),
    "the whole body": (f"Content-Length: {len(BODY)}", BODY, True),
}


@pytest.mark.parametrize(("header", "body", "is_complete"), SENT.values(), ids=SENT.keys())
def test_a_message_that_ends_before_its_end_makes_nothing(live, token, header, body, is_complete):
    before = events(live)
    port = httpx.URL(live.url).port
    head = f"POST /events/ HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {token}\r\nContent-Type: application/json\r\n"

    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(f"{head}{header}\r\n\r\n".encode() + body)
        if not is_complete:
            connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(4096)

    assert (events(live) - before, b" 201 " in answer.partition(b"\r\n")[0]) == (int(is_complete), is_complete)


def events(live: Live) -> int:
    return int(httpx.get(f"{live.url}/events/?count=exact").json()["count"])
