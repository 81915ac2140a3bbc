"""The short way of a request to the API: Django's handler without what it does there for pages alone.

Of a request to a view of REST framework, Django's signals, its layers around each middleware, and the middlewares for
browsers, static files and the admin take a third of the time, and change nothing but a few headers. Such a request goes
through the middlewares that are about it, in the same order, and gets the same headers from the same code. Whatever is
more than that goes the long way: pages, the admin, browsers on another site (CORS), traces, paths that lead nowhere.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, cast

from django.conf import settings
from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIHandler, get_script_name
from django.db import DEFAULT_DB_ALIAS, connections, reset_queries
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware
from django.template.response import SimpleTemplateResponse
from django.urls import Resolver404, ResolverMatch, resolve, set_script_prefix

from jointoit.api.http.middleware import InputWall, RequestMiddleware, vary
from jointoit.api.observability.metrics import MetricsMiddleware
from jointoit.api.problems import handlers

#: What the short way stands for, in this order. With any other middleware every request goes the long way.
STANDS_FOR = [
    "jointoit.api.observability.metrics.MetricsMiddleware",
    "jointoit.api.http.middleware.RequestMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "jointoit.api.http.middleware.InputWall",
    "jointoit.api.http.admin_only.AdminSession",
    "jointoit.api.http.admin_only.AdminCsrf",
    "jointoit.api.http.admin_only.AdminAuthentication",
    "jointoit.api.http.admin_only.AdminMessages",
]


Answer = Callable[[HttpRequest], HttpResponseBase]
LONGEST: Final = 255  # characters of a path that is looked up; no route of the API is as long
#: Around each layer, as Django has it: what raises there is answered, and the layers before it see the answer.
guarded = cast(Callable[[Answer], Answer], convert_exception_to_response)


def nowhere(request: HttpRequest) -> HttpResponseBase:
    raise NotImplementedError


class ShortWay:
    """Answers requests for which `is_short` holds."""

    def __init__(self) -> None:
        self.security, self.frames = SecurityMiddleware(nowhere), XFrameOptionsMiddleware(nowhere)
        self.wall = InputWall(self.view)
        self.behind_the_wall = guarded(self.wall)
        self.answer = guarded(MetricsMiddleware(guarded(RequestMiddleware(guarded(self.with_headers)))))

    def with_headers(self, request: HttpRequest) -> HttpResponseBase:
        response: Any = self.security.process_request(request) or self.behind_the_wall(request)
        self.frames.process_response(request, response)
        vary(response, "origin")  # as corsheaders does where no Origin is given
        return self.security.process_response(request, response)

    def view(self, request: HttpRequest) -> HttpResponseBase:
        request.resolver_match = match = request.leads_to  # type: ignore[attr-defined]  # not for what the wall refused
        try:
            response: Any = self.wall.process_view(request, match.func, match.args, match.kwargs)
            return response or rendered(request, match)
        except Exception as error:
            response = handlers.handle(error, {"request": request})
            if response is None:
                raise
            return response  # type: ignore[no-any-return]


def rendered(request: HttpRequest, match: ResolverMatch) -> HttpResponseBase:
    """What the view answers, asked as `as_view` and Django do it."""
    view: Any = match.func.cls(**match.func.initkwargs)  # type: ignore[attr-defined]
    view.setup(request, *match.args, **match.kwargs)
    response: Any = view.dispatch(request, *match.args, **match.kwargs)
    answer: HttpResponseBase = response.render() if isinstance(response, SimpleTemplateResponse) else response
    # View, request and answer know each other, and only the collector would free them, while all others wait.
    view.request.parser_context.clear()
    response.renderer_context = None
    if not answer.streaming:
        vars(view).clear()
    return answer


def is_short(request: HttpRequest) -> bool:
    """Whether a request is one for a view of REST framework and nothing more. Notes where it leads."""
    if settings.MIDDLEWARE != STANDS_FOR or "HTTP_ORIGIN" in request.META or request.method == "OPTIONS":
        return False
    if len(request.path_info) > LONGEST:
        return False
    match = match_of(settings.ROOT_URLCONF, request.path_info)
    if match is None:
        return False
    request.leads_to = match  # type: ignore[attr-defined]
    return True


@lru_cache(maxsize=2000)
def match_of(urlconf: str, path: str) -> ResolverMatch | None:
    """The view of REST framework that a path leads to, if it leads to one."""
    try:
        match = resolve(path, urlconf)
    except Resolver404:
        return None
    if not hasattr(match.func, "cls") or hasattr(vars(match.func).get("__wrapped__"), "__wrapped__"):
        return None  # what is wrapped around a view is not for us to leave out
    return match


class Handler(WSGIHandler):
    def __init__(self) -> None:
        super().__init__()
        self.short_way = ShortWay()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        set_script_prefix(get_script_name(environ))
        request = self.request_class(environ.copy())  # it decodes the path in place, once
        if not is_short(request):
            return super().__call__(environ, start_response)
        connection = connections[DEFAULT_DB_ALIAS]
        # What Django's signals do at either end of a request.
        connection.close_if_unusable_or_obsolete()
        if settings.DEBUG:
            reset_queries()
        response = self.short_way.answer(request)
        headers = [*response.items(), *(("Set-Cookie", each.output(header="")) for each in response.cookies.values())]
        start_response(f"{response.status_code} {response.reason_phrase}", headers)
        if not isinstance(response, HttpResponse):
            return response  # a stream: the server closes it when it has been sent
        request.close()
        connection.close_if_unusable_or_obsolete()
        return [response.content]
