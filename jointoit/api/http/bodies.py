"""How much of a body is read, whether or not its length is told, and what becomes of one that is too large."""

import threading
from io import BytesIO
from typing import IO, Final

from django.http import HttpRequest

MAX_BODY: Final = 64 * 1024  # bytes
#: Of a body that is refused so much is read away and forgotten, so fast, for so many callers at the same time.
DRAINED: Final = 1024 * 1024  # bytes
PATIENCE: Final = 0.5  # seconds
DRAINS: Final = threading.BoundedSemaphore(8)
WITHOUT_BODY: Final = ("GET", "HEAD", "OPTIONS", "TRACE")


def fits(request: HttpRequest, *, largest: int) -> bool:
    """Whether the body has at most `largest` bytes. One without a length gets its length here."""
    declared = request.META.get("CONTENT_LENGTH") or ""
    if declared.isdecimal():
        return int(declared) <= largest
    if request.META.get("wsgi.input_terminated") and request.method not in WITHOUT_BODY:
        return read_undeclared(request, largest)
    return True


def read_undeclared(request: HttpRequest, largest: int) -> bool:
    """Give a body without a length (RFC 9112 section 7.1) its length; False if it is larger than we read.

    Django reads as much as Content-Length says, so it would take such a body for an empty one.
    """
    chunks, left = [], largest + 1
    while left and (chunk := request.META["wsgi.input"].read(left)):
        chunks.append(chunk)
        left -= len(chunk)
    if not left:
        return False
    body = b"".join(chunks)
    request._stream = BytesIO(body)
    request.META["CONTENT_LENGTH"] = str(len(body))
    return True


def drain(request: HttpRequest) -> None:
    """Read a refused body away, so that its sender hears why.

    Who still writes when the connection closes gets a reset and may never see the answer (RFC 9112 section 9.6). Who
    is slow does not hold us up, nor does who asked first and sends nothing until told to (RFC 9110 section 10.1.1).
    """
    if "HTTP_EXPECT" in request.META or not DRAINS.acquire(blocking=False):
        return
    declared = request.META.get("CONTENT_LENGTH") or ""
    left = min(DRAINED, int(declared)) if declared.isdecimal() else DRAINED
    reader = threading.Thread(target=forget, args=[request.META["wsgi.input"], left], name="drain", daemon=True)
    reader.start()
    reader.join(PATIENCE)


def forget(body: IO[bytes], left: int) -> None:
    try:
        while left > 0 and (chunk := body.read(min(left, MAX_BODY))):
            left -= len(chunk)
    finally:
        DRAINS.release()
