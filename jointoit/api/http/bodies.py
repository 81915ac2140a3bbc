"""How much of a body is read, and what becomes of one that is too large or not whole."""

from typing import Final

from django.conf import settings
from django.http import HttpRequest

from jointoit.api.http.handler import is_page_path

MAX_BODY: Final = 256 * 1024  # bytes; whatever the document allows fits, with every character escaped
WITHOUT_BODY: Final = ("GET", "HEAD", "OPTIONS", "TRACE")


def largest(path: str) -> int:
    """How many bytes a body may have. Forms are larger: each letter of a description may take twelve."""
    return settings.DATA_UPLOAD_MAX_MEMORY_SIZE if is_page_path(path) else MAX_BODY


def refused(request: HttpRequest) -> str | None:
    """The code of why the body is not read any further, if so; of one that is small enough all is here afterwards.

    A message that ends before its body does is never carried out (RFC 9112 section 8). Whether one in chunks was whole
    the server keeps to itself: it ends such a body in the same way. So one without a length is told to send it; nginx,
    which reads a request to its end before it hands it on, gives it one.
    """
    declared = request.META.get("CONTENT_LENGTH") or ""
    most = largest(request.path_info)
    if declared.isdecimal():
        if int(declared) > most:
            return "body_too_large"
        is_whole = request.method in WITHOUT_BODY or len(request.body) == int(declared)
        return None if is_whole else "incomplete_message"
    if not request.META.get("wsgi.input_terminated") or request.method in WITHOUT_BODY:
        return None
    left = most + 1
    while left and (chunk := request.META["wsgi.input"].read(left)):
        left -= len(chunk)
    return "body_too_large" if not left else None if left == most + 1 else "length_required"
