"""The short way and the long one answer alike: status, headers, body, and what the log says."""

import gc
import json
import logging
import re
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

import pytest
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.test import RequestFactory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jointoit.accounts import tokens
from jointoit.accounts.models import User
from jointoit.api.http.handler import STANDS_FOR, Handler, is_short, match_of
from jointoit.api.postgresql.base import DatabaseWrapper
from jointoit.events.models import Event
from tests.api.test_database import end_from_outside

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
REQUEST = "3f0f9d0e-8b0c-4f0e-9d5e-2a1d6f6f7a10"
ODD = "x" * 20_000

READS = [
    "/events/", "/events/?page_size=2", "/events/?tag=jazz&ordering=-title", "/events/?title=%25",
    "/events/?count=exact", "/events/{event}/", "/events/{event}/calendar.ics", "/events/0/",
    "/events/999999999999999999/", "/events/x/", "/events/?page_size=0", "/events/?cursor=forged",
    "/events/?title=%00", "/events/?title=a&title=b", f"/events/?a={ODD}", "/events", "/nowhere/", "/nowhere",
    "//events/", "/events/%00/", "/", "/health/live/", "/health/ready/", "/registrations/", "/users/me/",
    "/events/{event}/registrations/", "/api/schema/", "/api/docs/", "/api/redoc/", "/admin/", "/metrics", "/static/x",
]  # fmt: skip
HEADERS: list[dict[str, str]] = [
    {}, {"HTTP_ACCEPT": "text/html"}, {"HTTP_ACCEPT": "text/csv"}, {"HTTP_HOST": "evil.example"},
    {"HTTP_AUTHORIZATION": "Bearer x"}, {"HTTP_AUTHORIZATION": "token"}, {"HTTP_COOKIE": "theme=dark"},
    {"HTTP_ORIGIN": "https://app.example.org"}, {"HTTP_IF_NONE_MATCH": "*"}, {"HTTP_X_FORWARDED_PROTO": "https"},
]  # fmt: skip
WRITES = ["/events/", "/events/{event}/", "/users/register/", "/events/{event}/register/", "/x"]
METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PURGE"]
BODIES = [b"", b"{}", b"{", b'{"title": "x"}', b"[" * 5000, b" " * 70_000]


def answered(application: Application, environ: dict[str, Any], body: bytes = b"") -> tuple[str, Any, bytes]:
    """Call it as a server does."""
    said: list[Any] = []
    answer: Any = application(
        {
            "REQUEST_METHOD": "GET", "QUERY_STRING": "", "SERVER_NAME": "localhost", "SERVER_PORT": "80",
            "REMOTE_ADDR": "192.0.2.1", "SERVER_PROTOCOL": "HTTP/1.1", "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(body)), "wsgi.url_scheme": "http", "wsgi.input": BytesIO(body),
            "HTTP_X_REQUEST_ID": REQUEST, **environ,
        },
        lambda status, headers: said.append((status, sorted(headers))),
    )  # fmt: skip
    content = b"".join(answer)
    if hasattr(answer, "close"):
        answer.close()
    return *said[0], re.sub(rb"DTSTAMP:\w+", b"", content)  # when a calendar was asked for, to the second


def split(address: str) -> dict[str, str]:
    path, _, query = address.partition("?")
    return {"PATH_INFO": path.replace("%00", "\0"), "QUERY_STRING": query}


def of(user: User, now: Any) -> dict[str, str]:
    return {"HTTP_AUTHORIZATION": f"Bearer {tokens.issue(user=user, now=now).access}"}


def both(environ: dict[str, Any], body: bytes = b"") -> tuple[Any, Any]:
    short, long = answered(Handler(), environ, body), answered(get_wsgi_application(), environ, body)
    assert int(long[0][:3]) < 500, long
    return short, long


@pytest.fixture
def event(make_event: Callable[..., Event], monkeypatch: pytest.MonkeyPatch) -> Event:
    """One event, in the transaction of the test, which must not end with a request."""
    monkeypatch.setattr(DatabaseWrapper, "close_if_unusable_or_obsolete", lambda self: None)
    return make_event(tags=["jazz"])


@pytest.mark.django_db
@pytest.mark.parametrize("headers", HEADERS, ids=str)
@pytest.mark.parametrize("address", READS)
def test_a_read_is_answered_alike(event: Event, address: str, headers: dict[str, str]) -> None:
    short, long = both(split(address.format(event=event.pk)) | headers)
    assert short == long


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address", ["/events/", "/events/{event}/", "/users/register/", "/events/{event}/register/", "/x"]
)
@pytest.mark.parametrize("body", BODIES, ids=lambda body: str(body[:20]))
@pytest.mark.parametrize("method", METHODS)
def test_a_request_of_nobody_is_answered_alike(event: Event, address: str, body: bytes, method: str) -> None:
    short, long = both(split(address.format(event=event.pk)) | {"REQUEST_METHOD": method}, body)
    assert short == long


@pytest.mark.django_db
@pytest.mark.parametrize("address", READS)
@pytest.mark.parametrize("accept", ["*/*", "text/csv"])
def test_what_a_person_reads_is_answered_alike(event: Event, now: Any, address: str, accept: str) -> None:
    token = {
        "HTTP_AUTHORIZATION": f"Bearer {tokens.issue(user=event.organizer, now=now).access}",
        "HTTP_ACCEPT": accept,
    }
    short, long = both(split(address.format(event=event.pk)) | token)
    assert short == long


@pytest.mark.django_db
@pytest.mark.parametrize("signed_in", [True, False])
@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("GET", "/events/"), ("GET", "/events/{event}/"), ("GET", "/events/0/"),
        ("POST", "/events/{event}/register/"), ("POST", "/events/0/register/"),
    ],
)  # fmt: skip
def test_the_requests_of_a_rush_leave_nothing_for_the_collector(
    event: Event, now: Any, method: str, address: str, *, signed_in: bool
) -> None:
    """What it has to find it finds while everybody waits. The first of four registers, the others are refused."""
    environ = split(address.format(event=event.pk)) | {"REQUEST_METHOD": method}
    hold_to_leave_nothing(environ | (of(event.organizer, now) if signed_in else {}))


@pytest.mark.django_db
def test_a_filtered_list_leaves_nothing_for_the_collector(event: Event) -> None:
    hold_to_leave_nothing(split("/events/?title=a&tag=b"))


def hold_to_leave_nothing(environ: dict[str, Any]) -> None:
    application = Handler()
    for _ in range(3):  # the first fills what is kept
        answered(application, environ)
        gc.collect()
    gc.disable()
    try:
        answered(application, environ)
        assert gc.collect() == 0
    finally:
        gc.enable()


@pytest.mark.django_db
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_sent_is_answered_alike(event: Event, data: st.DataObject) -> None:
    text = st.binary(max_size=20).map(lambda sent: sent.decode("latin-1"))
    environ = split(data.draw(st.sampled_from(READS)).format(event=event.pk)) | data.draw(st.sampled_from(HEADERS))
    environ |= {"REQUEST_METHOD": data.draw(st.sampled_from(METHODS))}
    if data.draw(st.booleans()):
        environ |= {
            data.draw(st.sampled_from(["PATH_INFO", "HTTP_ACCEPT", "HTTP_AUTHORIZATION"])): "/" + data.draw(text)
        }
    short, long = both(environ, data.draw(st.sampled_from(BODIES)))
    assert short == long


@pytest.mark.django_db
@pytest.mark.urls("tests.api.wall_views")
@pytest.mark.parametrize("address", ["/raise/bug/", "/plain/?raise=bug", "/echo/", "/echo", "/me/", "/kept/"])
def test_a_fault_is_answered_and_logged_alike(address: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    said = []
    for application in (Handler(), get_wsgi_application()):
        caplog.clear()
        answer = answered(application, split(address))
        lines = [record.msg for record in caplog.records]
        said.append((answer, [told(line) for line in lines], len([r for r in caplog.records if r.exc_info])))
    assert said[0] == said[1]


class Gone(BytesIO):
    """The body of a client that is not there any more."""

    def read(self, size: int | None = -1) -> bytes:
        raise OSError

    readline = read


@pytest.mark.django_db
@pytest.mark.parametrize(
    "more", [{}, {"wsgi.input_terminated": True, "CONTENT_LENGTH": ""}, {"CONTENT_LENGTH": "9" * 5000}]
)
def test_what_fails_before_the_view_is_answered_alike(event: Event, more: dict[str, Any]) -> None:
    environ = split("/events/") | {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "9", "wsgi.input": Gone()} | more
    assert answered(Handler(), environ.copy()) == answered(get_wsgi_application(), environ.copy())


@pytest.mark.django_db
def test_long_paths_are_not_kept(event: Event) -> None:
    kept = match_of.cache_info().currsize
    both(split("/" + "x" * 5000))
    assert match_of.cache_info().currsize == kept


def told(line: Any) -> Any:
    if not isinstance(line, dict):
        return str(line)
    return {name: value for name, value in line.items() if name not in ("milliseconds", "timestamp", "exc_info")}


def test_the_settings_have_the_middlewares_that_it_stands_for(settings: Any) -> None:
    assert settings.MIDDLEWARE == STANDS_FOR
    request = RequestFactory().get("/events/")
    assert is_short(request)
    settings.MIDDLEWARE = [*STANDS_FOR, "django.middleware.gzip.GZipMiddleware"]
    assert not is_short(request)


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_the_server_ended_is_replaced_before_the_next_request() -> None:
    application = Handler()
    connection.ensure_connection()
    end_from_outside(connection.connection.info.backend_pid)
    status, _, content = answered(application, split("/events/"))
    assert (status, json.loads(content)["results"]) == ("200 OK", [])


@pytest.mark.django_db
def test_a_file_is_sent_while_it_is_read(event: Event, now: Any) -> None:
    token = tokens.issue(user=event.organizer, now=now).access
    environ = split(f"/events/{event.pk}/registrations/") | {
        "HTTP_ACCEPT": "text/csv",
        "HTTP_AUTHORIZATION": f"Bearer {token}",
    }
    status, headers, content = answered(Handler(), environ)
    assert (status, content.count(b"\n"), "Content-Length" in dict(headers)) == ("200 OK", 1, False)
