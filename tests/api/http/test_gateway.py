"""What becomes of a request between the web server and Django, over real connections: one thread answers them."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from config.env import ROOT
from jointoit.api.http.bodies import MAX_BODY
from jointoit.api.http.gateway import BODY_TIME, FORGOTTEN
from jointoit.process.management.commands import serve
from tests.servers import free_port

PATIENCE = 30.0  # seconds


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with serving(tmp_path_factory.mktemp("gateway")) as port:
        yield port


@contextmanager
def serving(folder: Path) -> Iterator[int]:
    """It stops when it is asked to, without being killed, and has nothing to complain of."""
    port, log = free_port(), folder / "granian.log"
    words = ["--interface=rsgi", f"--port={port}", "--workers=1", "--no-ws", "--http=1", "--workers-kill-timeout=10"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "granian", *words, "tests.api.http.echo:application"],
            cwd=ROOT, env=dict(os.environ), stdout=output, stderr=output,
        )  # fmt: skip
        try:
            wait_for(port, process, log)
            yield port
        finally:
            process.terminate()
            process.wait(timeout=PATIENCE)
    assert [word for word in ("Traceback", "refused") if word in log.read_text()] == []


def wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
    raise AssertionError(log.read_text())


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)


def head(*lines: str | bytes, target: bytes = b"/") -> bytes:
    fields = [
        line if isinstance(line, bytes) else line.encode() for line in ("Host: here", "Connection: close", *lines)
    ]
    return b"\r\n".join([b"POST %b HTTP/1.1" % target, *fields, b"", b""])


def answer(connection: socket.socket) -> Any:
    """What the application was given."""
    with connection.makefile("rb") as file:
        before, _, body = file.read().partition(b"\r\n\r\n")
    assert before.startswith(b"HTTP/1.1 200 "), before
    return json.loads(body)


def given(port: int, *lines: str | bytes, target: bytes = b"/") -> Any:
    with connect(port) as connection:
        connection.sendall(head(*lines, target=target))
        return answer(connection)


REAL, CLAIMED = (
    "X-Forwarded-For: 192.0.2.1",
    ("X_Forwarded_For: 9.9.9.9", "X-Forwarded_For: 9.9.9.9", "x_forwarded-for: 9.9.9.9"),
)


@pytest.mark.parametrize("claimed", CLAIMED)
def test_a_name_with_underscores_stands_for_no_other(port: int, claimed: str) -> None:
    orders = [(REAL, claimed), (claimed, REAL), (claimed, REAL, claimed), (claimed,)]
    found = [given(port, *order).get("HTTP_X_FORWARDED_FOR") for order in orders]
    assert found == ["192.0.2.1"] * 3 + [None]


def test_a_header_that_is_sent_twice_is_one_list(port: int) -> None:
    assert given(port, "X-Forwarded-For: a", "X-Forwarded-For: b, c")["HTTP_X_FORWARDED_FOR"] == "a,b, c"


def test_cookies_in_two_lines_are_one_list(port: int) -> None:
    assert given(port, "Cookie: a=1", "Cookie: b=2")["HTTP_COOKIE"] == "a=1; b=2"


def test_the_host_of_the_target_goes_before_that_of_the_header(port: int) -> None:
    assert given(port, target=b"http://there:99/x")["HTTP_HOST"] == "there:99"


def test_a_request_does_not_hold_the_environment_of_the_process(port: int) -> None:
    assert not {"DATABASE_URL", "REDIS_URL", "PATH"} & given(port).keys()
    assert os.environ["PATH"]


def test_text_arrives_as_wsgi_has_it(port: int) -> None:
    found = given(port, b"X-Latin: \xe4", "Content-Type: text/plain", target="/a%20ä/?q=ä%20".encode())
    bytes_of = {name: found[name].encode("latin-1") for name in ("PATH_INFO", "QUERY_STRING", "HTTP_X_LATIN")}
    assert bytes_of == {"PATH_INFO": "/a ä/".encode(), "QUERY_STRING": "q=ä%20".encode(), "HTTP_X_LATIN": b""}
    assert (found["CONTENT_TYPE"], found["REMOTE_ADDR"], found["SERVER_PORT"]) == ("text/plain", "127.0.0.1", str(port))


def test_who_sends_slowly_keeps_no_thread_from_others(port: int) -> None:
    with ExitStack() as everybody:
        slow = [everybody.enter_context(connect(port)) for _ in range(20)]
        for connection in slow:
            connection.sendall(head("Content-Length: 2") + b"a")
        assert given(port)["body"] == 0
        for connection in slow:
            connection.sendall(b"b")
        assert [answer(connection)["body"] for connection in slow] == [2] * 20


def test_a_length_may_begin_with_zeros(port: int) -> None:
    with connect(port) as connection:
        connection.sendall(head("Content-Length: " + "0" * 5000 + "3") + b"abc")
        assert answer(connection)["body"] == 3


@pytest.mark.parametrize("is_cut", [True, False], ids=["cut off", "never ends"])
def test_a_body_that_does_not_come_to_its_end_is_shorter_than_its_length(port: int, is_cut: bool) -> None:
    with connect(port) as connection:
        connection.sendall(head("Content-Length: 9") + b"abc")
        if is_cut:
            connection.shutdown(socket.SHUT_WR)
        found = answer(connection)
    assert (found["CONTENT_LENGTH"], found["body"]) == ("9", 3)


LENGTH, CHUNKS = "Content-Length: {}", "Transfer-Encoding: chunked"


@pytest.mark.parametrize(
    ("size", "handed_on"), [(MAX_BODY, MAX_BODY), (MAX_BODY + 1, MAX_BODY + 1), (FORGOTTEN, MAX_BODY + 1)]
)
@pytest.mark.parametrize("framing", [LENGTH, CHUNKS])
def test_of_a_body_that_is_too_large_one_byte_more_is_handed_on(
    port: int, framing: str, size: int, handed_on: int
) -> None:
    body = b"x" * size
    with connect(port) as connection:
        connection.sendall(head(framing.format(size)))
        connection.sendall(b"%x\r\n%b\r\n0\r\n\r\n" % (size, body) if framing == CHUNKS else body)
        assert answer(connection)["body"] == handed_on


@pytest.mark.parametrize(("size", "is_asked_for"), [(MAX_BODY + 1, False), (1, True)])
def test_who_asks_before_sending_too_much_is_not_told_to_go_on(port: int, size: int, is_asked_for: bool) -> None:
    with connect(port) as connection:
        connection.sendall(head(f"Content-Length: {size}", "Expect: 100-continue"))
        assert (b" 100 " in connection.recv(30)) == is_asked_for


def test_an_answer_ends_when_nobody_listens_any_more(port: int) -> None:
    with connect(port) as connection:
        connection.sendall(head(target=b"/endless/"))
        assert connection.recv(9) == b"HTTP/1.1 "
    before = given(port)["sent"]  # there is one thread: it is free again
    assert before > 0
    assert given(port)["sent"] == before


def test_a_streamed_answer_whose_reader_left_keeps_no_server_from_stopping(tmp_path: Path) -> None:
    with serving(tmp_path) as port, connect(port) as connection:
        connection.sendall(head(target=b"/slow/"))
        assert connection.recv(9) == b"HTTP/1.1 "
        connection.close()


def test_a_body_is_waited_for_no_longer_than_a_server_that_stops_waits() -> None:
    patience = next(word for word in serve.arguments(1) if word.startswith("--workers-kill-timeout="))
    assert int(patience.partition("=")[2]) > BODY_TIME
