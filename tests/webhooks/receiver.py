"""A receiver of webhooks on loopback: what it was sent, and how it answers."""

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import orjson


@dataclass(frozen=True)
class Received:
    """One request; `headers` by their names in lower case."""

    headers: dict[str, str]
    body: bytes
    path: str
    at: float

    @property
    def message(self) -> Any:
        return orjson.loads(self.body)

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


Answer = Callable[["Handler", Received], None]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "Receiver"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        received = Received(headers, body, self.path, time.monotonic())
        self.server.received.append(received)
        with suppress(OSError):
            self.server.answer(self, received)

    def say(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        pass


class Receiver(ThreadingHTTPServer):
    """Listens until the block ends. `answer` may be set at any time."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, answer: Answer | None = None, host: str = "127.0.0.1", port: int = 0) -> None:
        self.received: list[Received] = []
        self.accepted = 0
        self.answer = answer or fine
        super().__init__((host, port), Handler)
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def get_request(self) -> tuple[socket.socket, Any]:
        self.accepted += 1
        return super().get_request()

    def handle_error(self, *args: Any) -> None:
        """The sender hung up."""

    @property
    def url(self) -> str:
        return f"http://{self.server_address[0]!s}:{self.server_port}/hooks"

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()
        self.thread.join()


# ── Ways to answer ──


def fine(handler: Handler, received: Received) -> None:
    handler.say(204)


def says(status: int, body: bytes = b"", **headers: str) -> Answer:
    return lambda handler, received: handler.say(status, body, **headers)


def hangs(seconds: float) -> Answer:
    return lambda handler, received: time.sleep(seconds)


def drips(handler: Handler, received: Received) -> None:
    """An answer without an end, a byte at a time."""
    for letter in b"HTTP/1.1 200 OK\r\nx-padding: " + b"x" * 10_000:
        handler.wfile.write(bytes([letter]))
        handler.wfile.flush()
        time.sleep(0.05)


def floods(handler: Handler, received: Received) -> None:
    """A hundred megabytes."""
    handler.send_response_only(200)
    handler.send_header("content-length", str(100 * 1024 * 1024))
    handler.end_headers()
    for _ in range(1600):
        handler.wfile.write(b"x" * 65536)
