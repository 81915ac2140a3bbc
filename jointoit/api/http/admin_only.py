"""Django's middlewares that only the admin needs: sessions, log-in by cookie, flash messages.

The API knows its callers by their tokens. Passing it through these costs time on every request and buys nothing. CSRF
protection still judges every view that has not been exempted: without its cookie that ends in 403, never in a pass.
"""

from typing import Any

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.deprecation import MiddlewareMixin

from jointoit.api.problems.handlers import is_for_people


class AdminOnly(MiddlewareMixin):
    """Lets a request for anything but the admin pass by."""

    def __call__(self, request: HttpRequest) -> Any:
        return super().__call__(request) if is_for_people(request) else self.get_response(request)


class AdminSession(AdminOnly, SessionMiddleware):
    """Reads and writes the session of whoever is logged in to the admin."""


class AdminCsrf(AdminOnly, CsrfViewMiddleware):
    """Guards the admin's forms; its `process_view` still looks at every view."""


class AdminAuthentication(AdminOnly, AuthenticationMiddleware):
    """Sets `request.user` from the session."""


class AdminMessages(AdminOnly, MessageMiddleware):
    """Keeps what the admin tells after a redirect."""
