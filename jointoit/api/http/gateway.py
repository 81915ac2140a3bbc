"""Between granian and Django: RSGI on one side, WSGI (PEP 3333) on the other.

granian's own WSGI makes one variable of `X-Forwarded-For` and `X_Forwarded_For`, so a client could overwrite what a
proxy says. RSGI has the names as they were sent. A request is handed to a thread when all of it is here.

RSGI: https://github.com/emmett-framework/granian/blob/master/docs/spec/RSGI.md
"""

import asyncio
import sys
from asyncio import AbstractEventLoop
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from django.http.response import HttpResponseBase
from granian.rsgi import HTTPProtocol, ProtocolClosed, Scope  # type: ignore[attr-defined]

from jointoit.api.http import bodies

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    Application = Callable[[WSGIEnvironment, StartResponse], HttpResponseBase]

BODY_TIME: Final = 60.0  # seconds; a body that takes longer is handed on as far as it came, and refused as incomplete
#: Of a body that is refused so much is read away and forgotten, for so long, so that its sender hears why: who still
#: writes when the connection closes gets a reset and may never see the answer (RFC 9112 section 9.6).
FORGOTTEN: Final = 1024 * 1024  # bytes
FORGETTING: Final = 0.5  # seconds
CGI_NAMES: Final = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}


class Gateway:
    """An RSGI application that serves Django's WSGI handler: as many requests at a time as it has threads."""

    def __init__(self, application: "Application", *, threads: int) -> None:
        self.application = application
        self.threads = ThreadPoolExecutor(threads, thread_name_prefix="request")

    async def __rsgi__(self, scope: Scope, protocol: HTTPProtocol) -> None:
        body = await read(scope, protocol)
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self.threads, self.answer, environment(scope, body), protocol, loop)

    def answer(self, environ: "WSGIEnvironment", protocol: HTTPProtocol, loop: AbstractEventLoop) -> None:
        start = Start()
        response = self.application(environ, start)
        try:
            if response.streaming:
                transport = protocol.response_stream(start.status, start.headers)
                for chunk in response:
                    asyncio.run_coroutine_threadsafe(send(transport, chunk), loop).result()
            else:
                protocol.response_bytes(start.status, start.headers, b"".join(response))
        except ProtocolClosed:
            pass  # nobody listens any more
        finally:
            response.close()


class Start:
    """PEP 3333's `start_response`, without `write`: Django returns what it has to say."""

    status: int
    headers: list[tuple[str, str]]

    def __call__(self, status: str, headers: list[tuple[str, str]], exc_info: object = None, /) -> Any:
        self.status, self.headers = int(status[:3]), headers


async def send(transport: Any, chunk: bytes) -> None:
    await transport.send_bytes(chunk)


async def read(scope: Scope, protocol: HTTPProtocol) -> bytes:
    """The body: what came of it in time, and one byte more than may be of one that is too large.

    Who asks before sending too much is told by the answer, unread (RFC 9110 section 10.1.1).
    """
    length, largest = scope.headers.get("content-length", ""), bodies.largest(scope.path)
    if not length and "transfer-encoding" not in scope.headers:
        return b""
    declared = int(length) if length.isdecimal() else None
    is_refused = declared is not None and declared > largest
    if is_refused and "expect" in scope.headers:
        return b""
    body, came = bytearray(), 0
    with suppress(TimeoutError):
        async with asyncio.timeout(FORGETTING if is_refused else BODY_TIME):
            async for chunk in protocol:
                came += len(chunk)
                body += chunk[: largest + 1 - len(body)]
                if came == declared or came > largest + FORGOTTEN:
                    break
    return bytes(body)


def environment(scope: Scope, body: bytes) -> "WSGIEnvironment":
    """Names with underscores are dropped: as a variable each could be taken for the name with hyphens."""
    server, _, port = scope.server.rpartition(":")
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": as_latin_1(scope.path),
        "QUERY_STRING": as_latin_1(scope.query_string),
        "SERVER_NAME": server.strip("[]"),
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": "HTTP/1.0" if scope.http_version == "1" else f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    headers: Any = scope.headers  # of which granian's types leave out `get_all`, and that it can be iterated over
    for name in headers:
        if "_" not in name:
            variable = CGI_NAMES.get(name) or "HTTP_" + name.upper().replace("-", "_")
            environ[variable] = ",".join(headers.get_all(name))
    return environ


def as_latin_1(text: str) -> str:
    """As PEP 3333 has text that is not ASCII: a character for each byte."""
    return text if text.isascii() else text.encode().decode("latin-1")
