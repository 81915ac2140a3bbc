"""The API's handler is Django's: what Django promises to views, signals and middlewares holds."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.signals import request_finished, request_started
from django.http import HttpRequest, HttpResponse
from django.urls import path
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.viewsets import ViewSet

from jointoit.api.checks import check_middleware
from tests.client import ServiceClient

pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db]


class CupViewSet(ViewSet):
    permission_classes = [AllowAny]
    throttle_classes = ()

    def list(self, request: Request) -> Response:
        return Response(["espresso"])

    def create(self, request: Request) -> Response:
        return Response(request.data, status=201)

    def destroy(self, request: Request, pk: str) -> Response:
        return Response(status=204)


def wrapped(request: HttpRequest) -> HttpResponse:
    response: HttpResponse = CupViewSet.as_view({"get": "list"})(request)
    response["X-Around"] = "yes"
    return response


router = SimpleRouter()
router.register("cups", CupViewSet, basename="cup")
urlpatterns = [*router.urls, path("wrapped/", wrapped)]


class Marking:
    """A middleware with the hook that Django calls before a view."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response["X-View"] = request.view_name  # type: ignore[attr-defined]
        return response

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        request.view_name = view.__name__  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [
        ("get", "/cups/", 200), ("post", "/cups/", 201), ("delete", "/cups/1/", 204), ("options", "/cups/", 204),
        ("put", "/cups/", 405), ("get", "/cups/1/", 405),
    ],
)  # fmt: skip
def test_a_viewset_answers_the_methods_that_its_router_gives_it(api: ServiceClient, method, address, status):
    response = getattr(api, method)(address, *([{"name": "mug"}] if method == "post" else []))

    assert response.status_code == status
    if status == 405:
        assert response["Allow"] == ("GET, HEAD, OPTIONS, POST" if address == "/cups/" else "DELETE, OPTIONS")


def test_what_is_wrapped_around_a_view_stays_around_it(api: ServiceClient):
    assert api.get("/wrapped/")["X-Around"] == "yes"


def test_receivers_hear_of_each_request(api: ServiceClient):
    heard: list[str] = []

    def started(**_: Any) -> None:
        heard.append("started")

    def finished(**_: Any) -> None:
        heard.append("finished")

    request_started.connect(started)
    request_finished.connect(finished)
    try:
        api.get("/cups/")
    finally:
        request_started.disconnect(started)
        request_finished.disconnect(finished)

    assert heard == ["started", "finished"]


def test_a_middleware_of_the_list_is_called_with_its_hooks(settings):
    added = f"{__name__}.Marking"
    settings.API_MIDDLEWARE = [*settings.API_MIDDLEWARE, added]
    settings.MIDDLEWARE = [*settings.API_MIDDLEWARE, *settings.MIDDLEWARE[len(settings.API_MIDDLEWARE) - 1 :]]

    assert ServiceClient().get("/cups/")["X-View"] == "CupViewSet"
    assert check_middleware(None) == []


@pytest.mark.parametrize("change", ["missing", "order"])
def test_a_list_that_is_no_part_of_the_other_stops_the_start(settings, change: str):
    if change == "missing":
        settings.API_MIDDLEWARE = [*settings.API_MIDDLEWARE, f"{__name__}.Marking"]
    else:
        settings.API_MIDDLEWARE = settings.API_MIDDLEWARE[::-1]

    assert [error.id for error in check_middleware(None)] == ["jointoit.E002"]
