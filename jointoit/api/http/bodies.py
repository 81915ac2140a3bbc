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


def length(declared: str | None) -> int | None:
    """Of a Content-Length, which may have any number of zeros in front."""
    return int(declared.lstrip("0") or "0") if declared and declared.isdecimal() else None


def refused(request: HttpRequest) -> str | None:
    """The code of why the body is not read any further, if so; of one that is small enough all is here afterwards.

    A message that ends before its body does is never carried out (RFC 9112 section 8). Of one in chunks the server does
    not say whether it was whole. So one without a length is told to send it; nginx, which reads a request to its end
    before it hands it on, gives it one.
    """
    declared, most = length(request.META.get("CONTENT_LENGTH")), largest(request.path_info)
    if declared is not None:
        if declared > most:
            return "body_too_large"
        is_whole = request.method in WITHOUT_BODY or len(request.body) == declared
        return None if is_whole else "incomplete_message"
    if request.method in WITHOUT_BODY or "HTTP_TRANSFER_ENCODING" not in request.META:
        return None
    return "body_too_large" if len(request.META["wsgi.input"].read(most + 1)) > most else "length_required"
