"""Whatever goes wrong leaves as a problem of RFC 9457 that never repeats what was sent."""

import json
from typing import Any

import pytest
from django.core.exceptions import TooManyFieldsSent
from django.http import HttpResponse
from django.test import RequestFactory

from jointoit.api.problems import handlers, validation
from jointoit.api.problems.catalogue import known
from tests.api import views_behind_limits
from tests.client import BrowserClient, ServiceClient

pytestmark = pytest.mark.urls("tests.api.views_behind_limits")

REQUEST = "3f0f9d0e-8b0c-4f0e-9d5e-2a1d6f6f7a10"


def problem(api: BrowserClient, path: str, method: str = "post") -> tuple[int, Any]:
    response = getattr(api, method)(path)
    assert response["Content-Type"] == "application/problem+json"
    return response.status_code, response.json()


def test_a_problem_has_the_members_of_the_standard_and_a_code(api: ServiceClient, settings: Any) -> None:
    settings.PUBLIC_URL = "https://events.example.org"
    response = api.post("/raise/forbidden/", headers={"X-Request-ID": REQUEST})
    assert response.json() == {
        "type": "https://events.example.org/problems/not_yours_at_all/",
        "title": "Not yours at all",
        "status": 403,
        "detail": "This belongs to somebody else.",
        "code": "not_yours_at_all",
        "instance": f"urn:uuid:{REQUEST}",
    }


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("conflict", 409, "full_house"),
        ("forbidden", 403, "not_yours_at_all"),
        ("secret", 404, "not_found"),
        ("stranger", 401, "stranger"),
        ("too-late", 400, "too_late"),
        ("tired", 503, "tired"),
        ("parameter", 400, "invalid"),
        ("throttled", 429, "throttled"),
        ("denied", 403, "permission_denied"),
        ("django-denied", 403, "permission_denied"),
        ("suspicious", 400, "bad_request"),
        ("parse", 400, "bad_request"),
        ("token", 401, "token_not_valid"),
        ("django-invalid", 400, "invalid"),
        ("method", 405, "method_not_allowed"),
        ("nobody", 401, "not_authenticated"),
        ("too-big", 413, "body_too_large"),
        ("bare", 500, "internal_error"),
        ("strange", 410, "gone"),
    ],
)
def test_each_kind_of_error_has_its_status_and_code(api: ServiceClient, name: str, status: int, code: str) -> None:
    found, body = problem(api, f"/raise/{name}/")
    assert (found, body["status"], body["code"]) == (status, status, code)
    assert "SENT" not in str(body)


def test_facts_become_members_but_never_replace_the_standard_ones(api: ServiceClient) -> None:
    _, body = problem(api, "/raise/conflict/")
    assert (body["registration"], body["status"]) == ("https://example.org/1", 409)


@pytest.mark.parametrize("name", ["missing", "secret", "http404", "drf404"])
def test_missing_and_hidden_are_the_same_bytes(api: ServiceClient, name: str) -> None:
    nowhere = api.get("/nowhere/", headers={"X-Request-ID": REQUEST})
    found = api.get(f"/raise/{name}/", headers={"X-Request-ID": REQUEST})
    assert (found.status_code, found.content) == (404, nowhere.content)


def test_a_stranger_is_told_how_to_sign_in(api: ServiceClient) -> None:
    assert api.get("/raise/stranger/")["WWW-Authenticate"] == 'Bearer realm="api"'


def test_a_refused_token_is_told_apart_from_none(api: ServiceClient) -> None:
    response = api.get("/raise/token/", headers={"Authorization": "Bearer x"})
    assert response["WWW-Authenticate"].startswith('Bearer realm="api", error="invalid_token", error_description="')


@pytest.mark.parametrize(("name", "seconds"), [("tired", "7"), ("throttled", "3"), ("throttled-forever", "1")])
def test_who_has_to_wait_is_told_how_long(api: ServiceClient, name: str, seconds: str) -> None:
    assert api.get(f"/raise/{name}/")["Retry-After"] == seconds


def test_a_wrong_member_is_named_by_pointer(api: ServiceClient) -> None:
    _, body = problem(api, "/raise/too-late/")
    assert body["errors"] == [{"pointer": "#/date", "code": "too_late", "detail": "This must be earlier."}]


def test_in_a_query_the_parameter_is_named(api: ServiceClient) -> None:
    _, body = problem(api, "/raise/too-late/", "get")
    assert body["errors"] == [{"parameter": "date", "code": "too_late", "detail": "This must be earlier."}]


def test_wrong_parameters_are_named_together(api: ServiceClient) -> None:
    _, body = problem(api, "/raise/parameters/", "get")
    assert body["errors"] == [
        {"parameter": "a", "code": "x", "detail": "One."},
        {"parameter": "b", "code": "y", "detail": "Two."},
    ]


def test_pointers_follow_nested_objects_and_arrays(api: ServiceClient) -> None:
    _, body = problem(api, "/raise/tree/")
    pointers = [entry["pointer"] for entry in body["errors"]]
    assert pointers == ["#/a~1b/c~0d", "#/tags/1", "#/rows/1/n", "#"]


def test_pointers_are_uri_fragments() -> None:
    assert validation.pointer(("ä b", "%")) == "#/%C3%A4%20b/%25"


STOCK = {
    "choice": "SENT",
    "several": ["SENT"],
    "user": "SENT",
    "name": "SENT",
    "tags": "SENT",
    "facts": "SENT",
    "whole": "SENT",
    "when": "SENT",
}


@pytest.mark.django_db
def test_stock_messages_never_repeat_what_was_sent(api: ServiceClient) -> None:
    response = api.post("/stock/", STOCK)
    assert {entry["pointer"] for entry in response.json()["errors"]} == {f"#/{name}" for name in STOCK}
    assert b"SENT" not in response.content


@pytest.mark.django_db
def test_a_missing_row_is_not_named_by_its_id(api: ServiceClient) -> None:
    entries = api.post("/stock/", STOCK | {"user": 987654321}).json()["errors"]
    assert {"pointer": "#/user", "code": "does_not_exist", "detail": "Nothing has this id."} in entries


# ── Not of REST framework ──


@pytest.mark.parametrize("debug", [True, False])
def test_views_outside_of_rest_framework_give_problems_too(client: BrowserClient, settings: Any, debug: bool) -> None:
    settings.DEBUG = debug
    found = [
        problem(client, f"/plain/?raise={name}", "get")[1]["code"] for name in ("http404", "conflict", "suspicious")
    ]
    assert found == ["not_found", "full_house", "bad_request"]


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("path", ["/plain/?raise=bug", "/raise/bug/", "/raise/integrity/"])
def test_a_fault_of_ours_is_a_500_that_tells_nothing(settings: Any, path: str, debug: bool) -> None:
    settings.DEBUG = debug
    status, body = problem(BrowserClient(raise_request_exception=False), path, "get")
    assert (status, body["code"], body["title"]) == (500, "internal_error", "Internal error")
    assert "SENT" not in str(body)


def test_a_fault_of_ours_is_logged_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    BrowserClient(raise_request_exception=False).get("/raise/bug/")
    faults = [record.exc_info[0] for record in caplog.records if record.exc_info]
    assert faults == [RuntimeError]


@pytest.mark.parametrize("debug", [True, False])
def test_an_address_that_leads_nowhere_is_a_problem(client: BrowserClient, settings: Any, debug: bool) -> None:
    settings.DEBUG = debug
    assert problem(client, "/nowhere/", "get")[0] == 404


def test_what_django_refuses_by_itself_is_a_problem(rf: RequestFactory) -> None:
    answers = [handlers.bad_request(rf.get("/"), error) for error in (TooManyFieldsSent("SENT"), RuntimeError("SENT"))]
    assert [json.loads(answer.content)["code"] for answer in answers if isinstance(answer, HttpResponse)] == [
        "too_many_parameters",
        "bad_request",
    ]


def test_error_pages_of_other_programs_are_rewritten(client: BrowserClient) -> None:
    status, body = problem(client, "/plain/?status=403", "get")
    assert (status, body["code"]) == (403, "permission_denied")


@pytest.mark.parametrize("name", ["http404", "django-denied", "suspicious"])
def test_people_in_the_admin_keep_their_pages(client: BrowserClient, name: str) -> None:
    assert client.get(f"/admin/broken/?raise={name}")["Content-Type"].startswith("text/html")


def test_every_problem_that_exists_has_words() -> None:
    wordless = [code for code, kind in known().items() if not (kind.title and kind.sentence and kind.uri.endswith("/"))]
    assert wordless == []


def test_defining_an_error_makes_its_problem_known() -> None:
    kind = known()["full_house"]
    assert (kind.status, kind.sentence, kind.explanation) == (409, "No seat is left.", "Every seat is taken.")


# ── PostgreSQL ──


def run(api: ServiceClient, monkeypatch: pytest.MonkeyPatch, statement: str) -> Any:
    monkeypatch.setattr(views_behind_limits.SqlView, "statement", statement)
    return api.post("/sql/")


RAISE = "DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{}'; END $$"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("sqlstate", "code"),
    [
        ("55P03", "busy"),
        ("40P01", "busy"),
        ("57014", "busy"),
        ("53300", "busy"),
        ("57P03", "database_unavailable"),
        ("08006", "database_unavailable"),
        ("25006", "database_unavailable"),
    ],
)
def test_a_database_that_cannot_is_a_503_to_repeat(
    api: ServiceClient, monkeypatch: pytest.MonkeyPatch, sqlstate: str, code: str
) -> None:
    response = run(api, monkeypatch, RAISE.format(sqlstate))
    assert (response.status_code, response.json()["code"]) == (503, code)
    assert response["Retry-After"] == ("1" if code == "busy" else "5")


@pytest.mark.django_db(transaction=True)
def test_a_value_that_does_not_fit_is_a_400(api: ServiceClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(api, monkeypatch, "SELECT 99999999999::integer").status_code == 400


@pytest.mark.django_db(transaction=True)
def test_who_comes_second_past_every_check_gets_the_message_of_the_constraint(api: ServiceClient) -> None:
    rows = [{"username": "one", "email": "A@b.co"}, {"username": "two", "email": "a@B.co"}]
    answers = [api.post("/user/", row) for row in rows]
    assert [answer.status_code for answer in answers] == [201, 400]
    assert answers[1].json()["errors"] == [
        {"pointer": "#/email", "code": "unique", "detail": "An account with this e-mail exists."}
    ]


VIOLATE = "DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{}', CONSTRAINT = '{}'; END $$"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("sqlstate", "constraint", "status", "detail"),
    [
        ("23505", "registration_one_live_per_person", 409, "This person is already registered."),
        ("23503", "nobody_declared_this", 409, "Something that this refers to is gone, or is still referred to."),
    ],
)
def test_a_clash_with_other_rows_is_a_409(
    api: ServiceClient, monkeypatch: pytest.MonkeyPatch, sqlstate: str, constraint: str, status: int, detail: str
) -> None:
    response = run(api, monkeypatch, VIOLATE.format(sqlstate, constraint))
    assert (response.status_code, response.json()["code"], response.json()["detail"]) == (status, "conflict", detail)


@pytest.mark.django_db(transaction=True)
def test_a_row_that_may_not_be_is_a_400_about_the_whole(api: ServiceClient, monkeypatch: pytest.MonkeyPatch) -> None:
    response = run(api, monkeypatch, VIOLATE.format("23514", "event_ends_after_start"))
    assert response.json()["errors"] == [
        {"pointer": "#", "code": "invalid", "detail": "An event must end after it starts."}
    ]


@pytest.mark.django_db(transaction=True)
def test_a_constraint_that_nobody_knows_is_a_fault_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    api = ServiceClient(raise_request_exception=False)
    statements = [VIOLATE.format("23514", "nobody_declared_this"), RAISE.format("XX000")]
    assert [run(api, monkeypatch, statement).status_code for statement in statements] == [500, 500]
