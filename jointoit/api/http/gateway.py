"""Between granian and Django: RSGI on one side, WSGI (PEP 3333) on the other.

granian's own WSGI makes one variable of `X-Forwarded-For` and `X_Forwarded_For`, so a client could overwrite what a
proxy says. RSGI has the names as they were sent, and of the values those that are ASCII. A thread is taken when the
body is here.

RSGI: https://github.com/emmett-framework/granian/blob/master/docs/spec/RSGI.md
"""

import asyncio
import sys
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

#: Seconds; a body that takes longer is handed on as far as it came, and refused as incomplete. Less than a server waits
#: for its requests when it is asked to stop (`serve`).
BODY_TIME: Final = 20.0
#: Of a body that is refused so much is read away and forgotten, for so long, so that its sender hears why: who still
#: writes when the connection closes gets a reset and may never see the answer (RFC 9112 section 9.6).
FORGOTTEN: Final = 1024 * 1024  # bytes
FORGETTING: Final = 3.0  # seconds; a busy machine takes one to take what was sent at once
CGI_NAMES: Final = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}


class Gateway:
    """An RSGI application that serves Django's WSGI handler: as many requests at a time as it has threads.

    Those that are read or wait have a place; the bodies of more are left where they are.
    Of a streamed answer RSGI neither says how fast it is read, so what was not read is in memory, nor can it be told
    that one failed in the middle: the log says so.
    """

    def __init__(self, application: "Application", *, threads: int, places: int) -> None:
        self.application = application
        self.threads = ThreadPoolExecutor(threads, thread_name_prefix="request")
        self.places = asyncio.Semaphore(places)

    async def __rsgi__(self, scope: Scope, protocol: HTTPProtocol) -> None:
        async with self.places:
            environ = environment(scope, await read(scope, protocol))
            await asyncio.get_running_loop().run_in_executor(self.threads, self.answer, environ, protocol)

    def answer(self, environ: "WSGIEnvironment", protocol: HTTPProtocol) -> None:
        start = Start()
        response = self.application(environ, start)
        try:
            if response.streaming:
                send = protocol.response_stream(start.status, start.headers).send_bytes
                for chunk in response:
                    for _ in send(chunk).__await__():  # it is sent already; this raises where nobody listens any more
                        pass
            else:
                protocol.response_bytes(start.status, start.headers, b"".join(response))
        except ProtocolClosed:
            pass
        finally:
            response.close()


class Start:
    """PEP 3333's `start_response`, without `write`: Django returns what it has to say."""

    status: int
    headers: list[tuple[str, str]]

    def __call__(self, status: str, headers: list[tuple[str, str]], exc_info: object = None, /) -> Any:
        self.status, self.headers = int(status[:3]), headers


async def read(scope: Scope, protocol: HTTPProtocol) -> bytes:
    """The body, as far as it came in time; of one that is going to be refused, enough to see why.

    Who asks before sending too much is told by the answer, unread (RFC 9110 section 10.1.1).
    """
    declared, largest = bodies.length(scope.headers.get("content-length")), bodies.largest(scope.path)
    if not declared and "transfer-encoding" not in scope.headers:
        return b""
    is_refused = declared is None or declared > largest
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
    variables: WSGIEnvironment = {
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
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    headers: Any = scope.headers  # of which granian's types leave out `get_all`, and that it can be iterated over
    for name in headers:
        if "_" not in name:
            variable = CGI_NAMES.get(name) or "HTTP_" + name.upper().replace("-", "_")
            variables[variable] = ("; " if name == "cookie" else ",").join(headers.get_all(name))
    if (declared := bodies.length(headers.get("content-length"))) is not None:
        variables["CONTENT_LENGTH"] = str(declared)  # Django reads no number of thousands of digits, were they zeros
    if scope.authority:  # of `GET http://host/path`, which goes before `Host` (RFC 9112 section 3.2.2)
        variables["HTTP_HOST"] = scope.authority
    return variables


def as_latin_1(text: str) -> str:
    """As PEP 3333 has text that is not ASCII: a character for each byte."""
    return text if text.isascii() else text.encode().decode("latin-1")
