"""POST /users/register/ over the whole stack."""

from typing import Any

import pytest

from jointoit.accounts.models import User
from tests.client import ServiceClient

from .conftest import Mails, MakeUser

URL = "/users/register/"
ADA = {"username": "ada", "email": "ada@example.org", "password": "weaving algebra"}
pytestmark = pytest.mark.django_db


def pointers(refusal: Any) -> list[str]:
    assert refusal.status_code == 400
    assert refusal["Content-Type"] == "application/problem+json"
    return sorted({error["pointer"] for error in refusal.json()["errors"]})


def test_the_answer_is_the_account_without_its_password(api: ServiceClient) -> None:
    answer = api.post(URL, ADA | {"first_name": "Ada", "timezone": "Europe/London"})

    user = User.objects.get()
    assert (answer.status_code, answer["Location"], answer["Cache-Control"]) == (201, "/users/me/", "no-store")
    assert answer.json() == {
        "id": user.pk,
        "username": "ada",
        "email": "ada@example.org",
        "email_verified": False,
        "pending_email": "",
        "first_name": "Ada",
        "last_name": "",
        "timezone": "Europe/London",
        "date_joined": user.date_joined.isoformat().replace("+00:00", "Z"),
    }


def test_nobody_makes_themselves_more_than_a_user(api: ServiceClient) -> None:
    more = {
        "is_staff": True,
        "is_superuser": True,
        "is_active": False,
        "email_verified": True,
        "id": 1,
        "token_epoch": 9,
    }

    assert api.post(URL, ADA | more | {"groups": [1]}).status_code == 201

    user = User.objects.get()
    assert (user.is_staff, user.is_superuser, user.is_active, user.email_verified) == (False, False, True, False)
    assert (user.token_epoch, user.groups.count()) == (0, 0)


@pytest.mark.parametrize("field", ["username", "email", "password"])
def test_what_is_required_is_named(api: ServiceClient, field: str) -> None:
    assert pointers(api.post(URL, {name: value for name, value in ADA.items() if name != field})) == [f"#/{field}"]


def test_all_that_is_wrong_is_named_at_once(api: ServiceClient, mails: Mails) -> None:
    refusal = api.post(URL, {"username": "a b", "email": "x", "password": 5, "timezone": "Mars/Base"})

    assert pointers(refusal) == ["#/email", "#/password", "#/timezone", "#/username"]
    assert mails() == []


@pytest.mark.parametrize("email", ["ADA@example.org", "ada@EXAMPLE.ORG"])
def test_a_taken_address_in_another_case_is_named(api: ServiceClient, make_user: MakeUser, email: str) -> None:
    make_user(email="ada@example.org")

    refusal = api.post(URL, ADA | {"email": email})

    assert (pointers(refusal), refusal.json()["code"]) == (["#/email"], "email_taken")


def test_a_taken_name_is_named(api: ServiceClient, make_user: MakeUser) -> None:
    make_user(username="ADA", email="other@example.org")

    refusal = api.post(URL, ADA)

    assert (pointers(refusal), refusal.json()["code"]) == (["#/username"], "username_taken")


@pytest.mark.parametrize(
    "email",
    [
        "a@b.co\r\nBcc: x@y.z",
        "a@b.co,c@d.co",
        "a@@b.co",
        "a@b@c.co",
        "b\u0131ll@example.org",
        "no-at.example.org",
        "a@localhost",
        "a@[127.0.0.1]",
        '"a b"@example.org',
        "Ada <ada@example.org>",
        "a@exa\u0000mple.org",
        "a" * 65 + "@example.org",
        "a@" + "b" * 250 + ".org",
        "",
        None,
        5,
        ["a@b.co"],
        {"a": "b@c.co"},
    ],
    ids=lambda email: repr(email)[:16],
)
def test_what_is_no_address_is_400(api: ServiceClient, mails: Mails, email: object) -> None:
    assert api.post(URL, ADA | {"email": email}).status_code == 400
    assert mails() == []


@pytest.mark.parametrize(
    "username",
    [
        "a b",
        "ada@example.org",
        "ada＠example",
        "a\u2028b",
        "a\nb",
        "\u200b",
        "ﷺ",
        "¼",
        "",
        "x" * 151,
        None,
        5,
        True,
        ["ada"],
    ],
    ids=lambda username: ascii(username)[:16],
)
def test_what_is_no_username_is_400(api: ServiceClient, username: object) -> None:
    assert pointers(api.post(URL, ADA | {"username": username})) == ["#/username"]


@pytest.mark.parametrize(
    ("sent", "kept"), [("Grace.Hopper+1_-", "Grace.Hopper+1_-"), ("ａｄａ", "ada"), ("Élise", "Élise"), ("李", "李")]
)
def test_a_username_is_kept_in_one_form(api: ServiceClient, sent: str, kept: str) -> None:
    assert api.post(URL, ADA | {"username": sent}).json()["username"] == kept


@pytest.mark.parametrize(
    "password",
    ["short", "password1", "Lovelace1", " " * 12, "4815162342", "p" * 1025, "", None, 12345678, ["weaving"], {}],
)
def test_a_bad_password_is_400(api: ServiceClient, password: object) -> None:
    assert pointers(api.post(URL, ADA | {"last_name": "Lovelace", "password": password})) == ["#/password"]


@pytest.mark.parametrize("password", ["w1" * 32, "w2" * 64, "🐎🔋📎 wird es", "  outer and  inner "], ids=len)
def test_a_long_or_unusual_password_signs_in_exactly(api: ServiceClient, password: str) -> None:
    assert api.post(URL, ADA | {"password": password}).status_code == 201

    logins = [
        api.post("/api/token/", {"username": "ada", "password": each}) for each in (password, password.strip()[:-1])
    ]
    assert [login.status_code for login in logins] == [200, 401]


@pytest.mark.parametrize(
    "name", ["a\r\nb", "\u202e" * 3, "x" * 151, "a\u0085b", 5, None, []], ids=lambda name: ascii(name)[:12]
)
@pytest.mark.parametrize("field", ["first_name", "last_name"])
def test_what_is_no_name_is_400(api: ServiceClient, field: str, name: object) -> None:
    assert pointers(api.post(URL, ADA | {field: name})) == [f"#/{field}"]


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b'"x"', b'{"username": "a', b'{"username": "\xff"}', b'{"a": 1, "a": 2}']
)
def test_a_body_that_is_no_object_is_400(api: ServiceClient, body: bytes) -> None:
    assert api.post(URL, body, content_type="application/json").status_code == 400


def test_nothing_that_was_sent_comes_back_in_a_refusal(api: ServiceClient) -> None:
    refusal = api.post(
        URL, {"username": "<b>marker</b>", "email": "marker", "password": "marker", "timezone": "marker"}
    )

    assert (refusal.status_code, b"marker" in refusal.content) == (400, False)


def test_a_name_and_an_address_that_are_both_taken_are_told_at_once(api: ServiceClient, make_user: MakeUser) -> None:
    make_user(username="ada", email="ada@example.org")

    refusal = api.post(URL, ADA | {"username": "Ada", "email": "ADA@example.org"})

    assert (refusal.status_code, pointers(refusal)) == (400, ["#/email", "#/username"])
