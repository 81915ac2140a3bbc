"""Answers are JSON; which media types a client can ask for."""

import json
import uuid
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from django.utils.functional import lazystr
from rest_framework.renderers import BaseRenderer

from jointoit.api.http.rendering import JSONRenderer, accepted, quality
from jointoit.api.problems.kinds import MEDIA_TYPE
from tests.api import views_behind_limits
from tests.client import BrowserClient

pytestmark = pytest.mark.urls("tests.api.views_behind_limits")


class CSV(BaseRenderer):
    media_type = "text/csv"
    format = "csv"

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:
        return b"a,b"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC), "2030-01-02T03:04:05Z"),
        (datetime(2030, 1, 2, 3, 4, 5, 60, tzinfo=UTC), "2030-01-02T03:04:05.000060Z"),
        (datetime(2030, 1, 2, tzinfo=timezone(timedelta(hours=2))), "2030-01-02T00:00:00+02:00"),
        (Decimal("1.10"), "1.10"),
        (lazystr("later"), "later"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ({"ü": (1, None)}, {"ü": [1, None]}),
        ({1: True}, {"1": True}),
        (frozenset({"x"}), ["x"]),
    ],
)
def test_values_are_written_as_clients_expect(value: Any, written: Any) -> None:
    assert json.loads(JSONRenderer().render({"a": value}))["a"] == written


def test_nothing_is_written_as_nothing() -> None:
    assert JSONRenderer().render(None) == b""


def test_what_cannot_be_written_is_a_fault() -> None:
    with pytest.raises(TypeError):
        JSONRenderer().render({"a": object()})


@pytest.mark.parametrize(
    "accept",
    [
        "application/json",
        "application/problem+json",
        "application/*",
        "*/*",
        "",
        "text/html, */*;q=0.1",
        "APPLICATION/JSON; charset=utf-8",
        "nonsense, application/json",
        "application/xml;q=1, application/json;q=0.001",
    ],
)
def test_json_answers_who_takes_json(client: BrowserClient, accept: str) -> None:
    response = client.get("/echo/", headers={"Accept": accept})
    assert (response.status_code, response["Content-Type"]) == (200, "application/json")


@pytest.mark.parametrize(
    "accept",
    [
        "application/xml",
        "text/*",
        "application/json;q=0",
        "application/json;q=0, */*",
        "nonsense",
        ";;;,,,",
        "*/json",
        "application/json;q=abc",
        "x" * 20_000,
        "application/json\x00",
    ],
)
def test_who_takes_no_json_gets_a_406_all_the_same_as_a_problem(client: BrowserClient, accept: str) -> None:
    response = client.get("/echo/", headers={"Accept": accept})
    assert (response.status_code, response["Content-Type"]) == (406, MEDIA_TYPE)
    assert response.json()["detail"] == "This address answers in application/json."


def test_the_query_does_not_choose_the_media_type(client: BrowserClient) -> None:
    assert client.get("/echo/?format=xml").status_code == 200


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("text/csv", "text/csv; charset=utf-8"),
        ("*/*", "application/json"),
        ("text/csv;q=0.2, application/json;q=0.3", "application/json"),
        ("text/*;q=0.5, application/json;q=0.3", "text/csv; charset=utf-8"),
        ("text/csv, application/problem+json;q=0.9", "text/csv; charset=utf-8"),
    ],
)
def test_a_view_may_offer_other_media_types(
    client: BrowserClient, monkeypatch: pytest.MonkeyPatch, accept: str, chosen: str
) -> None:
    monkeypatch.setattr(views_behind_limits.EchoView, "renderer_classes", (JSONRenderer, CSV))
    response = client.get("/echo/", headers={"Accept": accept})
    assert (response["Content-Type"], response["Vary"]) == (chosen, "Accept")


def test_the_most_specific_range_decides() -> None:
    ranges = accepted("*/*;q=0.1, application/*;q=0.2, application/json;q=0.3")
    found = [quality(media_type, ranges) for media_type in ("text/csv", "application/xml", "application/json")]
    assert found == [0.1, 0.2, 0.3]
