"""One message over HTTP, to an address that was looked at for it; knows nothing of the database.

Everything together has `TIMEOUT`, whatever the other side does: it may answer a byte a second, or without end. No
redirect is followed, no proxy is asked, nothing is unpacked, and no more than 16 KiB are read.
"""

import socket
import ssl
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import Enum
from functools import cache
from http.client import HTTPException
from typing import Any, Final

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from jointoit.webhooks.addresses import Address, NotAllowed, Target, look_up, read
from jointoit.webhooks.policy import LONGEST_WAIT, TIMEOUT

MOST_READ: Final = 16 * 1024
MOST_KEPT: Final = 512
#: Seconds for what follows the head of an answer: the status has been told by then.
BODY_TAKES: Final = 2.0
CONTENT: Final = {"content-type": "application/json", "user-agent": "Jointoit-Webhooks/1"}


class Verdict(Enum):
    SENT = "sent"
    LATER = "later"
    GONE = "gone"


@dataclass(frozen=True)
class Outcome:
    """What came of an attempt. `answer` is printable; `slow` says that it used up its time."""

    verdict: Verdict
    status: int | None
    milliseconds: int
    answer: str
    retry_after: timedelta | None = None
    slow: bool = False


class Timed:
    """A socket whose every read ends when the attempt does, not so long after the read before it."""

    ends: float = 0.0

    def recv_into(self: Any, *args: Any, **kwargs: Any) -> int:
        self.settimeout(max(0.001, self.ends - time.monotonic()))
        received: int = super().recv_into(*args, **kwargs)  # type: ignore[misc]
        return received


class TimedSocket(Timed, socket.socket):
    pass


class TimedSSLSocket(Timed, ssl.SSLSocket):
    pass


@cache
def ssl_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.sslsocket_class = TimedSSLSocket
    return context


class PlainConnection(HTTPConnection):
    def connect(self) -> None:
        super().connect()
        taken = self.sock
        self.sock = TimedSocket(taken.family, taken.type, taken.proto, fileno=taken.detach())


class Sender:
    """Posts to one URL, over a connection that is kept as long as its address is among those that the name has."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.target: Target | None = None
        self.connection: HTTPConnection | None = None
        self.address: Address | None = None

    def post(self, body: bytes, headers: dict[str, str]) -> Outcome:
        """Never raises for what the other side does."""
        began = time.monotonic()
        try:
            status, answer, wait = self.exchange(body, headers, ends=began + TIMEOUT)
        except NotAllowed as error:
            return Outcome(Verdict.LATER, None, since(began), str(error))
        except (OSError, HTTPError, HTTPException, UnicodeError) as error:
            self.close()
            slow = time.monotonic() >= began + TIMEOUT - 0.05
            said = "No answer in time." if slow else sentence_of(error)
            return Outcome(Verdict.LATER, None, since(began), said, slow=slow)
        return Outcome(verdict_of(status), status, since(began), printable(answer), wait_of(wait))

    def exchange(self, body: bytes, headers: dict[str, str], *, ends: float) -> tuple[int, bytes, str | None]:
        self.target = self.target or read(self.url)
        kept = self.reach(self.target, ends)
        try:
            return self.attempt(self.target, body, headers, ends)
        except (OSError, HTTPError, HTTPException):
            if not kept or time.monotonic() >= ends:
                raise
        self.close()  # the other side had closed a connection that was kept: it has heard nothing
        self.reach(self.target, ends)
        return self.attempt(self.target, body, headers, ends)

    def reach(self, target: Target, ends: float) -> bool:
        """Be connected to an address that was looked at just now; whether by the connection there was."""
        addresses = look_up(target)
        if self.connection and self.connection.sock and self.address in addresses:
            return True
        self.close()
        for number, address in enumerate(addresses, start=1):
            try:
                self.connect(target, address, ends)
            except (OSError, HTTPError):
                self.close()
                if number == len(addresses) or time.monotonic() >= ends:
                    raise
            else:
                break
        return False

    def connect(self, target: Target, address: Address, ends: float) -> None:
        place: dict[str, Any] = {"port": target.port, "timeout": max(0.001, ends - time.monotonic())}
        if target.scheme == "https":
            place |= {"server_hostname": target.host, "ssl_context": ssl_context()}
            self.connection = HTTPSConnection(str(address), **place)
        else:
            self.connection = PlainConnection(str(address), **place)
        self.address = address
        self.connection.connect()

    def attempt(
        self, target: Target, body: bytes, headers: dict[str, str], ends: float
    ) -> tuple[int, bytes, str | None]:
        connection: Any = self.connection
        connection.timeout = max(0.001, ends - time.monotonic())
        connection.sock.ends = ends
        connection.request(
            "POST", target.path, body=body, headers={"host": target.authority, **CONTENT, **headers},
            preload_content=False, decode_content=False,
        )  # fmt: skip
        response = connection.getresponse()
        if connection.sock:
            connection.sock.ends = min(ends, time.monotonic() + BODY_TAKES)
        answer, whole = beginning_of(response)
        if not whole:
            self.close()
        return response.status, answer, response.headers.get("retry-after")

    def close(self) -> None:
        connection, self.connection, self.address = self.connection, None, None
        if connection:
            connection.close()


def beginning_of(response: Any) -> tuple[bytes, bool]:
    """Up to MOST_READ bytes, and whether that was all."""
    read = bytearray()
    try:
        while len(read) < MOST_READ:
            piece = response.read1(MOST_READ - len(read), decode_content=False)
            if not piece:
                return bytes(read), True
            read += piece
    except (OSError, HTTPError, HTTPException):  # its status was told before
        pass
    return bytes(read), False


def verdict_of(status: int) -> Verdict:
    if 200 <= status < 300:
        return Verdict.SENT
    return Verdict.GONE if status == 410 else Verdict.LATER


def wait_of(header: str | None) -> timedelta | None:
    """What Retry-After asks for (RFC 9110 section 10.2.3): seconds, or a date; at most a day."""
    if header is None:
        return None
    text = header.strip()
    if text.isdecimal() and text.isascii():
        return min(timedelta(seconds=int(text[:9])), LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # a year of twenty digits
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(timedelta(0), min(moment - datetime.now(UTC), LONGEST_WAIT))


def since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


def sentence_of(error: Exception) -> str:
    """What kept us from an answer, without addresses."""
    match error.__cause__ or error:
        case socket.gaierror():
            return "The name was not found."
        case ssl.SSLCertVerificationError() as wrong:
            return f"The certificate is not good: {wrong.verify_message}."
        case ssl.SSLError():
            return "No TLS connection came about."
        case ConnectionRefusedError():
            return "The connection was refused."
    return "The connection was lost or did not come about."


def printable(answer: bytes) -> str:
    text = answer[:MOST_KEPT].decode("utf-8", "replace")
    return "".join(c if c.isprintable() or c == "\n" else " " for c in text).strip()
