"""What every request passes, whatever it asks for."""

import json
import logging
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

import pytest

from jointoit.accounts.models import User
from jointoit.api.http import middleware
from jointoit.api.http.bodies import MAX_BODY
from jointoit.api.http.handler import ApiHandler
from jointoit.api.problems.kinds import MEDIA_TYPE
from tests.client import BrowserClient, ServiceClient

pytestmark = [pytest.mark.urls("tests.api.views_behind_limits"), pytest.mark.django_db]

REQUEST = "3f0f9d0e-8b0c-4f0e-9d5e-2a1d6f6f7a10"


def code(response: Any) -> tuple[int, str]:
    assert response["Content-Type"] == MEDIA_TYPE
    return response.status_code, response.json()["code"]


def wsgi(stream: BytesIO, **environ: str) -> tuple[int, Any]:
    """Call the application as a server does, without the test client's own reading of the body."""
    seen: list[str] = []
    base = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/echo/",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "CONTENT_TYPE": "application/json",
        "wsgi.url_scheme": "http",
        "wsgi.input": stream,
    }
    application: Callable[..., Iterable[bytes]] = ApiHandler()
    answer = application({**base, **environ}, lambda status, headers: seen.append(status))
    return int(seen[0][:3]), json.loads(b"".join(answer))


# ── Names ──


@pytest.mark.parametrize("sent", [REQUEST, REQUEST.upper()])
def test_the_callers_id_comes_back(client: BrowserClient, sent: str) -> None:
    assert client.get("/echo/", headers={"X-Request-ID": sent})["X-Request-ID"] == REQUEST


@pytest.mark.parametrize("sent", ["", "x", f"{{{REQUEST}}}", f"urn:uuid:{REQUEST}", REQUEST.replace("-", ""), "٣" * 36])
def test_what_is_no_uuid_is_not_taken_for_an_id(client: BrowserClient, sent: str) -> None:
    found = client.get("/echo/", headers={"X-Request-ID": sent})["X-Request-ID"]
    assert middleware.UUID.fullmatch(found)
    assert found != client.get("/echo/", headers={"X-Request-ID": sent})["X-Request-ID"]


@pytest.mark.parametrize("path", ["/echo/", "/nowhere/", "/echo", "/raise/bug/", "/plain/?raise=bug", "/echo/?a=%00"])
def test_every_answer_has_the_id_and_the_headers_of_safety(path: str) -> None:
    response = BrowserClient(raise_request_exception=False).get(path, headers={"X-Request-ID": REQUEST})
    assert response["X-Request-ID"] == REQUEST
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["Permissions-Policy"].startswith("camera=()")


# ── Slashes ──


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
def test_without_the_slash_a_path_is_redirected_with_its_query(client: BrowserClient, method: str) -> None:
    response = getattr(client, method)("/echo?a=%C3%A4&b=1")
    assert (response.status_code, response["Location"]) == (308, "/echo/?a=%C3%A4&b=1")


def test_method_and_body_survive_the_redirect(client: BrowserClient) -> None:
    response = client.post("/echo?b=1", {"a": 1}, content_type="application/json", follow=True)
    assert response.json() == {"body": {"a": 1}, "query": {"b": "1"}}


@pytest.mark.parametrize("path", ["/nowhere", "//evil.example", "//echo", "/echo/x"])
def test_a_path_that_leads_nowhere_is_not_redirected(path: str) -> None:
    assert wsgi(BytesIO(), PATH_INFO=path)[0] == 404


# ── Methods ──


@pytest.mark.parametrize("method", ["TRACE", "DELETE", "PUT", "PURGE", "CONNECT"])
def test_a_method_that_is_not_there_is_a_405_for_anybody(client: BrowserClient, method: str) -> None:
    response = client.generic(method, "/me/")
    assert (code(response), response["Allow"]) == ((405, "method_not_allowed"), "GET, HEAD, OPTIONS")


def test_a_view_may_be_asked_for_its_methods_without_a_token(client: BrowserClient) -> None:
    response = client.options("/echo/")
    assert (response.status_code, response["Allow"], response.content) == (204, "GET, HEAD, OPTIONS, POST", b"")


def test_head_answers_as_get_without_the_body(client: BrowserClient) -> None:
    head, get = client.head("/echo/"), client.get("/echo/")
    assert (head.status_code, head.content, head["Content-Length"]) == (200, b"", get["Content-Length"])


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_a_header_does_not_change_the_method(client: BrowserClient, header: str) -> None:
    response = client.post("/echo/", {}, content_type="application/json", headers={header: "GET"})
    assert "body" in response.json()


# ── Hosts and addresses ──


@pytest.mark.parametrize("host", ["evil.example", "testserver.evil.example", "a b", "@"])
@pytest.mark.parametrize("debug", [True, False])
def test_a_foreign_host_is_a_problem(client: BrowserClient, settings: Any, host: str, debug: bool) -> None:
    settings.DEBUG = debug
    assert code(client.get("/echo/", headers={"Host": host})) == (400, "bad_host")


def test_a_probe_may_call_a_process_by_its_address(client: BrowserClient) -> None:
    assert code(client.get("/health/elsewhere/", headers={"Host": "10.0.0.7"})) == (404, "not_found")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("title=%00", ["title"]),
        ("title=%FF&date=1", ["title"]),
        ("a=%C3%28&b=%ED%A0%80", ["a", "b"]),
        ("%00=1", []),
        ("x%3Cscript%3E=%00", []),
    ],
)
def test_a_query_is_text(client: BrowserClient, query: str, names: list[str]) -> None:
    response = client.get(f"/echo/?{query}")
    assert code(response) == (400, "invalid_url")
    assert [entry["parameter"] for entry in response.json().get("errors", [])] == names


def test_text_in_any_script_passes(client: BrowserClient) -> None:
    assert client.get("/echo/?a=%C3%A4+%F0%9F%98%80&b=%25").json() == {"query": {"a": "ä 😀", "b": "%"}}


@pytest.mark.parametrize("path", ["/echo%00/", "/%00", "/%FF/", "/%ED%A0%80/", "/echo/%2e%2e/"])
def test_a_path_that_is_no_text_leads_nowhere(client: BrowserClient, path: str) -> None:
    assert code(client.get(path)) == (404, "not_found")


def test_two_thousand_parameters_are_too_many(client: BrowserClient) -> None:
    assert code(client.get("/echo/?" + "&".join(f"a{n}=1" for n in range(2_000)))) == (400, "too_many_parameters")


def test_an_address_may_be_long_but_not_endless(client: BrowserClient) -> None:
    assert client.get("/echo/?a=" + "x" * 10_000).status_code == 200
    assert code(client.get("/echo/?a=" + "x" * 17_000)) == (414, "url_too_long")
    assert code(client.get("/" + "x" * 17_000)) == (414, "url_too_long")


# ── Bodies ──


def body_of(size: int) -> bytes:
    return b'{"a": "%s"}' % (b"x" * (size - 9))


def test_a_body_may_have_256_kib_and_not_a_byte_more(client: BrowserClient) -> None:
    answers = [
        client.post("/echo/", body_of(size), content_type="application/json") for size in (MAX_BODY, MAX_BODY + 1)
    ]
    assert [answer.status_code for answer in answers] == [200, 413]
    assert code(answers[1]) == (413, "body_too_large")


@pytest.mark.parametrize("came", [b'{"a": 1}', b""])
def test_a_body_without_a_length_is_asked_for_one(came: bytes) -> None:
    status, answer = wsgi(BytesIO(came), HTTP_TRANSFER_ENCODING="chunked")
    assert (status, answer["code"]) == (411, "length_required")


def test_a_body_that_is_shorter_than_its_length_is_not_read_by_a_view() -> None:
    status, answer = wsgi(BytesIO(b'{"a": 1}'), CONTENT_LENGTH="50")
    assert (status, answer["code"]) == (400, "incomplete_message")


@pytest.mark.parametrize("told", [{"CONTENT_LENGTH": "10000000"}, {"HTTP_TRANSFER_ENCODING": "chunked"}])
def test_of_a_body_that_is_too_large_no_more_is_read_than_shows_it(told: dict[str, str]) -> None:
    stream = BytesIO(body_of(10_000_000))
    status, answer = wsgi(stream, **told)
    assert (status, answer["code"], stream.tell() <= MAX_BODY + 1) == (413, "body_too_large", True)


def test_forms_of_the_admin_may_be_larger(client: BrowserClient) -> None:
    assert client.post("/admin/broken/", {"a": "x" * 300_000}).status_code == 200


# ── Caches ──


def test_what_a_signed_in_caller_gets_is_not_stored(make_user: Callable[..., User], signed_in: Any) -> None:
    response = signed_in(make_user()).get("/me/")
    assert (response["Cache-Control"], response["Vary"]) == ("no-store", "Authorization")


def test_a_view_may_say_otherwise(make_user: Callable[..., User], signed_in: Any) -> None:
    assert signed_in(make_user()).get("/me/?own")["Cache-Control"] == "private, max-age=5"


@pytest.mark.parametrize(
    ("method", "path", "rule"),
    [("get", "/echo/", "no-cache"), ("post", "/echo/", "no-store"), ("get", "/raise/conflict/", "no-store")],
)
def test_without_a_caller_reads_may_be_stored_but_not_used_unasked(
    api: ServiceClient, method: str, path: str, rule: str
) -> None:
    assert getattr(api, method)(path)["Cache-Control"] == rule


def test_refusals_of_the_wall_can_be_read_across_origins(client: BrowserClient, settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example"]
    first, *rest = settings.API_MIDDLEWARE
    settings.API_MIDDLEWARE = [first, "corsheaders.middleware.CorsMiddleware", *rest]  # as the settings do then
    paths = ("/echo/?a=%00", "/echo", "/nowhere/")
    found = [client.get(path, headers={"Origin": "https://app.example"}) for path in paths]
    assert [answer["Access-Control-Allow-Origin"] for answer in found] == ["https://app.example"] * 3


# ── Log lines ──


def lines(caplog: pytest.LogCaptureFixture) -> list[Any]:
    return [record.msg for record in caplog.records if record.name == "jointoit.request"]


def test_a_request_is_one_line_without_what_was_sent(
    caplog: pytest.LogCaptureFixture, make_user: Callable[..., User], signed_in: Any
) -> None:
    caplog.set_level(logging.INFO)
    user = make_user()
    signed_in(user).get("/raise/conflict/?token=SENT", headers={"X-Request-ID": REQUEST})
    signed_in(user).get("/me/?token=SENT", headers={"X-Request-ID": REQUEST})
    found = [
        (line["method"], line["route"], line["status"], line["user_id"], line["request_id"]) for line in lines(caplog)
    ]
    assert found == [("GET", "raise/<slug:name>/", 409, user.pk, REQUEST), ("GET", "me/", 200, user.pk, REQUEST)]
    assert "SENT" not in caplog.text


def test_a_fault_is_logged_at_its_level(caplog: pytest.LogCaptureFixture) -> None:
    BrowserClient(raise_request_exception=False).get("/raise/bug/")
    assert [line["level"] for line in lines(caplog)] == ["error"]
