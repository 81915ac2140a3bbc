"""Where every error leaves the service, as a problem of RFC 9457; `mapping` says which.

What `mapping` does not know is a fault of ours: Django logs it with its traceback, and `server_error` answers.
"""

from collections.abc import Mapping
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views import defaults

from jointoit.api.problems.kinds import BY_STATUS, MEDIA_TYPE
from jointoit.api.problems.mapping import problem_for_status, problem_of
from jointoit.errors import Unavailable

ADMIN: Final = "/admin/"  # pages for people, who keep Django's own error pages


def handle(exc: Exception, context: Mapping[str, Any]) -> HttpResponse | None:
    """REST framework's EXCEPTION_HANDLER; None means that nobody foresaw this."""
    problem = problem_of(exc, context["request"])
    return None if problem is None else problem.response(context["request"])


# ── When Django itself answers ────────────────────────────────────────────────────────────────────────────────────────


def is_admin_path(request: HttpRequest) -> bool:
    return request.path_info.startswith(ADMIN)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if is_admin_path(request):
        return defaults.bad_request(request, exception)
    return (problem_of(exception, request) or problem_for_status(400)).response(request)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    return (
        defaults.permission_denied(request, exception)
        if is_admin_path(request)
        else problem_for_status(403).response(request)
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if is_admin_path(request):
        return defaults.page_not_found(request, exception)
    return problem_for_status(404).response(request)


def server_error(request: HttpRequest) -> HttpResponseBase:
    return defaults.server_error(request) if is_admin_path(request) else problem_for_status(500).response(request)


def busy_page(error: Unavailable) -> HttpResponse:
    """For a person in the admin."""
    headers = {"Retry-After": str(error.retry_after), "Cache-Control": "no-store"}
    return HttpResponse(str(error), "text/plain", 503, headers=headers)


def as_problem(request: HttpRequest, response: HttpResponseBase) -> None:
    """Rewrite in place what an error page of Django, or of another middleware, says in HTML or plain text.

    A page of our own that answers a form says so by its attribute `is_page`.
    """
    kind = BY_STATUS.get(response.status_code)
    is_page = getattr(response, "is_page", False)
    if kind is None or not isinstance(response, HttpResponse) or is_page or is_admin_path(request):
        return
    if response.headers.get("Content-Type", "text/").startswith("text/"):
        response.content = problem_for_status(kind.status).response(request).content
        response["Content-Type"] = MEDIA_TYPE
        response["Cache-Control"] = "no-store"
