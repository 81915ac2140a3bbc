"""Sessions of the admin: how long they last, and by what a browser is known again that signed in before.

They idle out after an hour without a page of the admin and end after a day whatever is done; sessions of the pages for
people live on. With the password or the account both end at the next request (`User.get_session_auth_hash`).
"""

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.models import Session
from django.dispatch import receiver
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from jointoit.accounts.login_throttle import COOKIE_SALT, REMEMBERED
from jointoit.api.problems.handlers import is_admin_path

LONGEST: Final = timedelta(days=1)
IDLE: Final = timedelta(hours=1)
BEGAN: Final = "began"
SEEN: Final = "seen"


def browser_of(request: HttpRequest) -> str:
    """The id of an account and a secret, where this browser signed in to the admin before; empty for others."""
    age = REMEMBERED.total_seconds()
    found = request.get_signed_cookie(settings.BROWSER_COOKIE_NAME, "", salt=COOKIE_SALT, max_age=int(age))
    return found or ""


@receiver(user_logged_in)
def begin(request: HttpRequest, user: Any, **_: object) -> None:
    request.session[BEGAN] = timezone.now().timestamp()
    request.known_browser = f"{user.pk}.{secrets.token_hex(16)}"  # type: ignore[attr-defined]


def prune(now: datetime) -> int:
    """Delete the sessions that are over, of the pages too; returns how many."""
    deleted, _ = Session.objects.filter(expire_date__lt=now).delete()
    return deleted


class AdminSessionMiddleware:
    """Stands between the sessions and who is signed in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if is_admin_path(request) and settings.SESSION_COOKIE_NAME in request.COOKIES:
            began, now = request.session.get(BEGAN, 0), timezone.now()
            seen = request.session.get(SEEN, began)
            if began <= (now - LONGEST).timestamp() or seen <= (now - IDLE).timestamp():
                logout(request)
            else:
                request.session[SEEN] = now.timestamp()
        response = self.get_response(request)
        if known := getattr(request, "known_browser", None):
            response.set_signed_cookie(
                settings.BROWSER_COOKIE_NAME, known, salt=COOKIE_SALT, max_age=REMEMBERED,
                secure=settings.HTTPS, httponly=True, samesite="Strict",
            )  # fmt: skip
        return response
