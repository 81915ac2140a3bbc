"""Where every error leaves the service, as a problem of RFC 9457; `answers` says which.

What `answers` does not know is a fault of ours: Django logs it with its traceback, and `server_error` answers.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views import defaults
from rest_framework.exceptions import APIException

from jointoit.api.problems.catalogue import BY_STATUS, INVALID_DETAIL, MEDIA_TYPE, problem
from jointoit.api.problems.mapping import answer, standard

__all__ = [
    "InvalidParameter",
    "InvalidParameters",
    "bad_request",
    "handle",
    "not_found",
    "permission_denied",
    "problem",
    "server_error",
]

HTML_PREFIX: Final = "/admin/"  # pages for people, who keep Django's own error pages


class InvalidParameters(APIException):
    """Query parameters are wrong: built from `(parameter, detail, code)` for each."""

    status_code = 400
    default_code = "invalid"
    default_detail = INVALID_DETAIL

    def __init__(self, wrong: Iterable[tuple[str, str, str]]) -> None:
        super().__init__()
        self.members = {"errors": [{"parameter": name, "code": code, "detail": text} for name, text, code in wrong]}


class InvalidParameter(InvalidParameters):
    """One query parameter is wrong; `detail` says what would be right and never repeats the value."""

    def __init__(self, parameter: str, detail: str, code: str = "invalid") -> None:
        super().__init__([(parameter, detail, code)])


def handle(exc: Exception, context: Mapping[str, Any]) -> HttpResponse | None:
    """REST framework's EXCEPTION_HANDLER; None means that nobody foresaw this."""
    found = answer(exc, context["request"])
    return None if found is None else found.write(context["request"])


# ── When Django itself answers ────────────────────────────────────────────────────────────────────────────────────────


def is_for_people(request: HttpRequest) -> bool:
    return request.path_info.startswith(HTML_PREFIX)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if is_for_people(request):
        return defaults.bad_request(request, exception)
    return (answer(exception, request) or standard(400)).write(request)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    return defaults.permission_denied(request, exception) if is_for_people(request) else standard(403).write(request)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if is_for_people(request):
        return defaults.page_not_found(request, exception)
    return standard(404).write(request)


def server_error(request: HttpRequest) -> HttpResponseBase:
    return defaults.server_error(request) if is_for_people(request) else standard(500).write(request)


def as_problem(request: HttpRequest, response: HttpResponseBase) -> None:
    """Rewrite in place what an error page of Django, or of another middleware, says in HTML or plain text.

    A page of our own that answers a form says so by its attribute `is_page`.
    """
    kind = BY_STATUS.get(response.status_code)
    is_page = getattr(response, "is_page", False)
    if kind is None or not isinstance(response, HttpResponse) or is_page or is_for_people(request):
        return
    if response.headers.get("Content-Type", "text/").startswith("text/"):
        response.content = problem(request, kind.status, kind.code, kind.sentence).content
        response["Content-Type"] = MEDIA_TYPE
        response["Cache-Control"] = "no-store"
