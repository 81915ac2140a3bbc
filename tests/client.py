"""Test clients that pass the handlers of production, and hold every answer to the OpenAPI document."""

from typing import Any

from django.test import Client
from django.test.client import ClientHandler
from rest_framework.test import APIClient, ForceAuthClientHandler

from jointoit.api.http.handler import ApiMiddleware, is_page_path
from tests.conformance import mismatch


class ApiClientHandler(ApiMiddleware, ForceAuthClientHandler):
    """The test client's handler, over the middlewares of the API."""


class BrowserClient(Client):
    """Django's client; it sends forms. Chooses between the two handlers as `config.wsgi` does."""

    def __init__(self, enforce_csrf_checks: bool = False, **defaults: Any) -> None:
        super().__init__(enforce_csrf_checks=enforce_csrf_checks, **defaults)
        self.pages: ClientHandler = self.handler
        self.api = ApiClientHandler(enforce_csrf_checks)

    def request(self, **environ: Any) -> Any:
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        self.handler = self.pages if is_page_path(path) else self.api
        response = super().request(**environ)
        wrong = mismatch(method, path, response)
        assert wrong is None, f"{method} {path}: {wrong}"
        return response


class ServiceClient(BrowserClient, APIClient):
    """REST framework's client; it sends JSON."""

    def force_authenticate(self, user: Any = None, token: Any = None) -> None:
        for handler in (self.pages, self.api):
            self.handler = handler
            super().force_authenticate(user, token)
