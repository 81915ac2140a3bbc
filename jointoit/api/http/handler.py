"""Django's WSGI handler over the middlewares of the API: what only pages need (sessions, static files) is left out."""

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.core.handlers.base import BaseHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import ResolverMatch, get_resolver

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

LONGEST: Final = 255  # characters of a path that is remembered; no route of the API is as long


class ApiMiddleware(BaseHandler):
    """Loads `settings.API_MIDDLEWARE` where Django loads `MIDDLEWARE`, and remembers where a path leads."""

    def load_middleware(self, is_async: bool = False) -> None:
        """To be called while nothing else runs, as Django's is: it reads its list from the settings."""
        everything = settings.MIDDLEWARE
        settings.MIDDLEWARE = settings.API_MIDDLEWARE
        try:
            super().load_middleware(is_async)
        finally:
            settings.MIDDLEWARE = everything

    def resolve_request(self, request: HttpRequest) -> ResolverMatch:
        """Django tries one route after the other for each request; which one a path leads to never changes."""
        if hasattr(request, "urlconf") or len(request.path_info) > LONGEST:
            return super().resolve_request(request)
        request.resolver_match = match = match_of(settings.ROOT_URLCONF, request.path_info)
        return match


@lru_cache(maxsize=2000)
def match_of(urlconf: str, path: str) -> ResolverMatch:
    """Raises Resolver404, which is not remembered."""
    return get_resolver(urlconf).resolve(path)


class ApiHandler(ApiMiddleware, WSGIHandler):
    """What a server calls for everything but pages."""


class Application:
    """As a server calls it."""

    def __init__(self) -> None:
        self.api, self.pages = ApiHandler(), WSGIHandler()

    def __call__(self, environ: dict[str, Any], start_response: "StartResponse") -> HttpResponseBase:
        handler = self.pages if is_page_path(environ["PATH_INFO"]) else self.api
        return handler(environ, start_response)


def is_page_path(path: str) -> bool:
    """Whether a path needs all of `MIDDLEWARE`."""
    return path.startswith(settings.PAGE_PATHS)
