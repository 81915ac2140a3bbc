"""What every page has: who looks, how often, and what becomes of a refusal."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views import View
from rest_framework.exceptions import Throttled
from rest_framework.request import Request

from jointoit.accounts.callers import Caller
from jointoit.accounts.models import User
from jointoit.accounts.tokens import DeadToken
from jointoit.api.http.handler import is_page_path
from jointoit.api.lists import parameters
from jointoit.api.lists.pagination import KeysetPagination, Listing
from jointoit.api.lists.parameters import ParameterSerializer
from jointoit.api.problems import handlers
from jointoit.api.problems.catalogue import known
from jointoit.api.problems.kinds import ProblemType
from jointoit.api.problems.mapping import Problem, problem_for_status, problem_of
from jointoit.api.throttling import throttle
from jointoit.api.throttling.client_address import client_address


class PageView(View):
    """A page, or a form on one. A refusal of a verb becomes a page that says so, with the status that the API gives."""

    needs_account: ClassVar[bool] = False
    #: The path holds a secret: it goes to nobody as a Referer, and no search engine keeps the page.
    is_secret: ClassVar[bool] = False
    #: What a form sent here counts against, besides the rate of all requests.
    throttle_scope: ClassVar[str | None] = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.now = timezone.now()
        try:
            self.count(request)
            if self.needs_account and self.user is None:
                return to_login(request)
            response = super().dispatch(request, *args, **kwargs)
        except DeadToken:  # the account was closed, or its tokens ended, since the session was read
            response = to_login(request)
        except Exception as error:
            problem = problem_of(error, request)
            if problem is None:
                raise
            response = refused(request, problem)
        if self.is_secret:
            response["Referrer-Policy"] = "no-referrer"
            kept_by_nobody(response)
        return response

    @property
    def user(self) -> User | None:
        return self.request.user if isinstance(self.request.user, User) else None

    @property
    def person(self) -> User:
        """Whoever looks, where the page needs an account."""
        assert isinstance(self.request.user, User)
        return self.request.user

    @property
    def caller(self) -> Caller:
        return Caller(self.user)

    def count(self, request: HttpRequest) -> None:
        """Count the request in its scopes. Raises Throttled."""
        user = self.user
        general = ("user", f"user:{user.pk}") if user else ("anon", f"address:{client_address(request)}")
        demand(*general, now=self.now)
        if self.throttle_scope and request.method == "POST":
            demand(self.throttle_scope, general[1], now=self.now)

    def render(self, template: str, status: int = 200, **shown: Any) -> HttpResponse:
        return page(self.request, template, shown, status=status)

    def page_of(self, listing: Listing, kind: type[ParameterSerializer] | None = None, *, size: int = 20) -> "Page":
        return Page(self.request, listing, kind, size=size)


def kept_by_nobody(response: HttpResponseBase) -> None:
    """No cache keeps it, and no search engine."""
    response["Cache-Control"], response["X-Robots-Tag"] = "no-store", "noindex"


def demand(scope: str, identity: str, *, now: datetime) -> None:
    """Count one request. Raises Throttled when there is nothing left."""
    status = throttle.consume(scope, identity, now)
    if status and not status.allowed:
        raise Throttled(wait=status.retry_after)


def page(request: HttpRequest, template: str, shown: Mapping[str, Any], *, status: int = 200) -> HttpResponse:
    response = render(request, f"pages/{template}.html", dict(shown), status=status)
    response.is_page = True  # type: ignore[attr-defined]  # keeps the middleware from making a problem of a refusal
    if isinstance(getattr(request, "user", None), User) or request.method != "GET":
        response.setdefault("Cache-Control", "no-store")
    return response


# ── Refusals ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def refused(request: HttpRequest, problem: Problem) -> HttpResponse:
    """The page for a problem: what it is, and where to go from here."""
    kind = known().get(problem.code)
    shown = {"problem": problem, "heading": kind.title if kind else "", "explanation": told(kind) if kind else ""}
    response = page(request, "refused", shown, status=problem.status)
    for name, value in problem.headers.items():
        response[name] = value
    response.headers.pop("WWW-Authenticate", None)
    return response


def told(kind: ProblemType) -> str:
    """What the page says besides; a remedy that names calls or members is for programs."""
    return kind.explanation or ("" if "`" in kind.remedy else kind.remedy)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """settings.CSRF_FAILURE_VIEW: the form is old, or was sent from somewhere else; nothing was done."""
    get_token(request)
    return page(request, "stale_form", {}, status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """handler404: a page where people look for one, else what the API says."""
    is_page = is_page_path(request.path_info) and not handlers.is_admin_path(request)
    return refused(request, problem_for_status(404)) if is_page else handlers.not_found(request, exception)


# ── Where to go on ────────────────────────────────────────────────────────────────────────────────────────────────────


def to_login(request: HttpRequest) -> HttpResponseRedirect:
    """To the log-in page, and back here afterwards; what a form sent is not sent again."""
    back = request.get_full_path() if request.method == "GET" else request.path
    return HttpResponseRedirect(f"{reverse('page-login')}?{urlencode({REDIRECT_FIELD_NAME: back})}")


def next_of(request: HttpRequest) -> str:
    """The page of ours that `next` names; empty for none, and for one elsewhere."""
    wanted = request.POST.get(REDIRECT_FIELD_NAME) or request.GET.get(REDIRECT_FIELD_NAME) or ""
    is_ours = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None, require_https=False)
    return wanted if is_ours and wanted.startswith("/") else ""


# ── Lists ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Page:
    """One page of a list of the API: its rows, and the links to those beside it."""

    def __init__(
        self, request: HttpRequest, listing: Listing, kind: type[ParameterSerializer] | None, *, size: int
    ) -> None:
        self.parameters_class = kind
        pagination = KeysetPagination()
        pagination.default_size = size
        self.rows = pagination.paginate_queryset(listing, Request(request), self)  # type: ignore[arg-type]
        self.next, self.previous = query_of(pagination.next), query_of(pagination.previous)


def query_of(address: str | None) -> str | None:
    return None if address is None else f"?{address.partition('?')[2]}"


def read(request: HttpRequest, kind: type[ParameterSerializer]) -> dict[str, Any]:
    """The parameters of a list, as the API reads them. Raises ValidationError."""
    return parameters.read(Request(request), kind)


def site(request: HttpRequest) -> dict[str, Any]:
    """What every page shows: a context processor."""
    legal = {name: getattr(settings, f"{name.upper()}_URL") for name in ("privacy", "terms", "imprint")}
    return {"legal": legal, "has_frontend": bool(settings.FRONTEND_URL)}
