"""What every request passes: first a name and a log line, then the limits that keep out what no view should see.

`RequestMiddleware` stands first of all, so that whatever happens has an id and ends as a problem.
`RequestLimitsMiddleware` stands behind the middlewares that add headers, so that its refusals carry those too.
"""

import re
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import structlog
from django.conf import settings
from django.core.exceptions import DisallowedHost, TooManyFieldsSent
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase, HttpResponsePermanentRedirect
from django.urls import is_valid_path
from django.utils.cache import patch_vary_headers
from django.utils.functional import SimpleLazyObject
from django.utils.http import escape_leading_slashes

from jointoit.api import security_log
from jointoit.api.http import bodies, strictness
from jointoit.api.http.rendering import EmptyResponse
from jointoit.api.problems import handlers
from jointoit.api.problems.mapping import invalid, known_problem, problem_for_status
from jointoit.api.throttling import throttle
from jointoit.errors import Unavailable

GetResponse = Callable[[HttpRequest], HttpResponseBase]

MAX_URL: Final = 16 * 1024  # bytes of path and query; leaves room to tell a long search apart from nonsense
UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
PARAMETER: Final = re.compile(r"[a-z_]{1,32}", re.ASCII)
NO_CONTENT: Final = (204, 304)
#: Whoever measures health knows a process by its address, not by the public name.
ANY_HOST: Final = ("/health/", "/metrics")

log = structlog.get_logger("jointoit.request")


def request_id(sent: str) -> str:
    """The caller's own id if it is a UUID (RFC 9562 section 4), else a new one."""
    return sent.lower() if UUID.fullmatch(sent) else str(uuid.uuid4())


def user_id(request: HttpRequest) -> int | str | None:
    """Who asked, if that was looked up; asking for it here would read a session for nothing."""
    user = getattr(request, "user", None)
    known = getattr(request, "_cached_user", None) if isinstance(user, SimpleLazyObject) else user
    return getattr(known, "pk", None)


class RequestMiddleware:
    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.monotonic()
        request.request_id = request_id(request.META.get("HTTP_X_REQUEST_ID", ""))  # type: ignore[attr-defined]
        bound = structlog.contextvars.bind_contextvars(request_id=request.request_id)  # type: ignore[attr-defined]
        current = security_log.current_request.set(request)
        try:
            response = self.get_response(request)
            handlers.as_problem(request, response)
            response["X-Request-ID"] = request.request_id  # type: ignore[attr-defined]
            add_headers(request, response)
            for name, value in throttle.headers(request).items():
                response[name] = value
            log_request(request, response, milliseconds=round((time.monotonic() - started) * 1000, 1))
            return response
        finally:
            security_log.current_request.reset(current)
            structlog.contextvars.reset_contextvars(**bound)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """For views outside of REST framework; None leaves the fault to Django, which logs it."""
        is_away = isinstance(exception, OperationalError | InterfaceError)
        if not handlers.is_admin_path(request) or is_away:
            return handlers.handle(exception, {"request": request})
        return handlers.busy_page(exception) if isinstance(exception, Unavailable) else None


def log_request(request: HttpRequest, response: HttpResponseBase, *, milliseconds: float) -> None:
    """One line. The path is told on a developer's machine only: it may hold a secret."""
    route = request.resolver_match.route if request.resolver_match else "none"
    is_probe = route.startswith("health/") and response.status_code < 400
    level = "error" if response.status_code >= 500 else "debug" if is_probe else "info"
    path = {"path": request.get_full_path()} if settings.DEBUG else {}
    getattr(log, level)(
        "request",
        method=request.method,
        route=route,
        status=response.status_code,
        milliseconds=milliseconds,
        user_id=user_id(request),
        **path,
    )


def view_class(request: HttpRequest) -> Any:
    """The REST framework view that the path leads to, or None."""
    return getattr(request.resolver_match.func, "cls", None) if request.resolver_match else None


def add_headers(request: HttpRequest, response: HttpResponseBase) -> None:
    """What a browser may do with the answer, and what a cache may do unless the view said so itself."""
    if response.status_code not in NO_CONTENT and not response.streaming:
        response.setdefault("Content-Length", str(len(response.content)))  # type: ignore[attr-defined]
    for name, value in settings.RESPONSE_HEADERS.items():
        response.setdefault(name, value)
    if getattr(response, "xframe_options_exempt", False):  # as Django's own middleware for clickjacking
        del response["X-Frame-Options"]
    is_read = request.method in ("GET", "HEAD")
    is_private = "HTTP_AUTHORIZATION" in request.META or user_id(request) is not None
    response.setdefault("Cache-Control", "no-cache" if is_read and not is_private else "no-store")
    if strictness.is_strict(request):
        response["Preference-Applied"] = "handling=strict"
    if getattr(view_class(request), "authentication_classes", ()):
        patch_vary_headers(response, ["Authorization"])


# ── Limits ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def unreadable_parameters(query: str) -> list[dict[str, str]]:
    """Parameters with a NUL or with bytes that are not UTF-8. A name is told only if it looks like one of ours."""
    wrong = (pair.partition("=")[0] for pair in query.split("&") if not is_readable(pair))
    detail = "This must be text in UTF-8 without NUL characters."
    return [{"parameter": name, "code": "invalid", "detail": detail} for name in wrong if PARAMETER.fullmatch(name)]


def is_readable(escaped: str) -> bool:
    try:
        return "\0" not in unquote_to_bytes(escaped).decode("utf-8")
    except UnicodeDecodeError:
        return False


def refusal(request: HttpRequest) -> HttpResponse | None:
    """Why this request goes no further, if so; cheap looks first, and none at the body before its length."""
    query = request.META.get("QUERY_STRING", "")
    try:
        if not request.path_info.startswith(ANY_HOST):
            request.get_host()
        len(request.GET)  # counts the parameters
    except (DisallowedHost, TooManyFieldsSent) as error:
        if isinstance(error, DisallowedHost):
            security_log.note("host", "refused")
        return handlers.handle(error, {"request": request})
    if len(request.path_info.encode()) + len(query) > MAX_URL:
        return problem_for_status(414).response(request)
    if not is_readable(query):
        members: dict[str, Any] = {"errors": wrong} if (wrong := unreadable_parameters(query)) else {}
        return replace(known_problem("invalid_url"), members=members).response(request)
    if "\0" in request.path_info:
        return problem_for_status(404).response(request)
    code = bodies.refused(request)
    return known_problem(code).response(request) if code else None


@cache
def allowed_methods(view_func: Any) -> list[str]:
    """Those of a view of REST framework; a ViewSet has them from its router."""
    view = view_func.cls
    names = getattr(view_func, "actions", None) or [name for name in view.http_method_names if hasattr(view, name)]
    methods = {name.upper() for name in names} | {"OPTIONS"}
    return sorted(methods | {"HEAD"} if "GET" in methods else methods)


class RequestLimitsMiddleware:
    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = refusal(request) or self.get_response(request)
        if response.status_code == 404 and request.resolver_match is None:
            return self.slashed(request) or response
        return response

    @staticmethod
    def slashed(request: HttpRequest) -> HttpResponseBase | None:
        """RFC 9110 section 15.4.9: unlike with 301, method and body stay what they are."""
        if request.path_info.endswith("/") or not is_valid_path(f"{request.path_info}/"):
            return None
        address = escape_leading_slashes(request.get_full_path(force_append_slash=True))
        redirect = HttpResponsePermanentRedirect(address, preserve_request=True)
        del redirect["Content-Type"]  # nothing has none
        return redirect

    def process_view(
        self, request: HttpRequest, view_func: Callable[..., Any], args: Iterable[Any], kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        """Answer for methods before anybody is asked who they are: which exist is no secret."""
        if not hasattr(view_func, "cls"):
            return None
        methods = allowed_methods(view_func)
        if request.method == "OPTIONS":
            return EmptyResponse(headers={"Allow": ", ".join(methods)})
        if request.method not in methods:
            return problem_for_status(405, Allow=", ".join(methods)).response(request)
        if strictness.is_strict(request) and request.GET:
            known: Iterable[str] = getattr(view_class(request), "known_parameters", frozenset)()
            if unknown := strictness.unknown_parameters(request, frozenset(known)):
                return invalid(unknown).response(request)
        return None
