"""How much of a body is read, and what becomes of one that is too large or not whole."""

import threading
from typing import IO, Final

from django.http import HttpRequest

MAX_BODY: Final = 256 * 1024  # bytes; whatever the document allows fits, with every character escaped
#: Of a body that is refused so much is read away and forgotten, so fast, for so many callers at the same time.
DRAINED: Final = 1024 * 1024  # bytes
PATIENCE: Final = 0.5  # seconds
DRAINS: Final = threading.BoundedSemaphore(8)
WITHOUT_BODY: Final = ("GET", "HEAD", "OPTIONS", "TRACE")


def refused(request: HttpRequest, *, largest: int) -> str | None:
    """The code of why the body is not read any further, if so; of one that is small enough all is here afterwards.

    A message that ends before its body does is never carried out (RFC 9112 section 8). Whether one in chunks was whole
    the server keeps to itself: it ends such a body in the same way. So one without a length is told to send it; nginx,
    which reads a request to its end before it hands it on, gives it one.
    """
    declared = request.META.get("CONTENT_LENGTH") or ""
    if declared.isdecimal():
        if int(declared) > largest:
            return "body_too_large"
        is_whole = request.method in WITHOUT_BODY or len(request.body) == int(declared)
        return None if is_whole else "incomplete_message"
    if not request.META.get("wsgi.input_terminated") or request.method in WITHOUT_BODY:
        return None
    left = largest + 1
    while left and (chunk := request.META["wsgi.input"].read(left)):
        left -= len(chunk)
    return "body_too_large" if not left else None if left == largest + 1 else "length_required"


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
