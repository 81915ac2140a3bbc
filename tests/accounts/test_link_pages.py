"""What the links in mails lead to: a page for people, the same address as JSON for programs."""

from typing import Any
from urllib.parse import urlencode

import pytest

from jointoit.accounts import addresses
from jointoit.accounts.models import User
from jointoit.mail import links
from tests.client import ServiceClient

from .conftest import Link, MakeUser

VERIFY, RESET = "/users/verify-email/", "/users/password-reset/confirm/"
AGREE, STOP = "/users/email-change/agree/", "/users/changes/stop/"
PAGES: dict[str, links.Kind] = {
    VERIFY: "verify_email",
    RESET: "reset_password",
    AGREE: "agree_email",
    STOP: "stop_change",
}
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
NEW = "weaving algebra"


def submit(api: ServiceClient, url: str, **fields: str) -> Any:
    """As a browser sends the form under the policy no-referrer."""
    form = urlencode(fields)
    kind = "application/x-www-form-urlencoded"
    return api.generic("POST", url, form, content_type=kind, HTTP_ACCEPT=BROWSER, HTTP_ORIGIN="null")


@pytest.fixture
def user(make_user: MakeUser) -> User:
    return make_user()


@pytest.mark.parametrize("url", PAGES)
def test_opening_the_link_shows_a_form_and_changes_nothing(
    api: ServiceClient, user: User, link: Link, url: str
) -> None:
    token = link(PAGES[url], user)

    page = api.get(url, {"token": token}, HTTP_ACCEPT=BROWSER)

    assert (page.status_code, page["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert f'<form method="post" action="{url}">' in page.text
    assert f'<input type="hidden" name="token" value="{token}">' in page.text
    before = (user.email_verified, user.password, user.token_epoch)
    user.refresh_from_db()
    assert (user.email_verified, user.password, user.token_epoch) == before


@pytest.mark.parametrize("url", PAGES)
def test_the_page_keeps_the_token_to_itself(api: ServiceClient, db: None, url: str) -> None:
    page = api.get(url, {"token": "secret"}, HTTP_ACCEPT="text/html")

    assert (page["Cache-Control"], page["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert (page["X-Frame-Options"], "<script" in page.text, "http" in page.text.split("<body>")[1]) == (
        "DENY",
        False,
        False,
    )


@pytest.mark.parametrize("url", PAGES)
def test_what_the_link_brings_is_escaped(api: ServiceClient, db: None, url: str) -> None:
    page = api.get(url, {"token": '"><script>alert(1)</script>'}, HTTP_ACCEPT=BROWSER)

    assert '"><script>' not in page.text


@pytest.mark.parametrize("url", PAGES)
@pytest.mark.parametrize("query", ["token=a&token=b", "token=%00", "token=" + "x" * 4097], ids=["twice", "NUL", "long"])
def test_an_odd_link_is_400(api: ServiceClient, db: None, url: str, query: str) -> None:
    refusal = api.get(f"{url}?{query}", HTTP_ACCEPT=BROWSER)

    assert (refusal.status_code, refusal.json()["errors"][0]["parameter"]) == (400, "token")


@pytest.mark.parametrize("url", PAGES)
def test_the_page_is_not_to_be_had_as_json(api: ServiceClient, db: None, url: str) -> None:
    assert api.get(url, HTTP_ACCEPT="application/json").status_code == 406


def test_the_form_confirms_the_address(api: ServiceClient, user: User, link: Link) -> None:
    page = submit(api, VERIFY, token=link("verify_email", user))

    user.refresh_from_db()
    assert (page.status_code, user.email_verified, "Thank you" in page.text) == (200, True, True)
    assert (page["Cache-Control"], page["Referrer-Policy"], "<form" in page.text) == ("no-store", "no-referrer", False)


def test_the_form_sets_the_password(api: ServiceClient, user: User, link: Link) -> None:
    page = submit(api, RESET, token=link("reset_password", user), new_password=f" {NEW}+&% ")

    user.refresh_from_db()
    assert (page.status_code, user.check_password(f" {NEW}+&% ")) == (200, True)


@pytest.mark.parametrize("password", ["short", "", "p" * 1025])
def test_a_refused_password_shows_the_form_again(api: ServiceClient, user: User, link: Link, password: str) -> None:
    token = link("reset_password", user)

    page = submit(api, RESET, token=token, new_password=password)

    assert (page.status_code, page["Content-Type"], 'role="alert"' in page.text) == (
        400,
        "text/html; charset=utf-8",
        True,
    )
    assert f'value="{token}"' in page.text
    assert submit(api, RESET, token=token, new_password=NEW).status_code == 200


@pytest.mark.parametrize("url", PAGES)
@pytest.mark.parametrize("fields", [{}, {"token": ""}, {"token": "forged"}, {"token": "a\x00b"}], ids=repr)
def test_a_bad_form_is_refused_on_the_page(api: ServiceClient, db: None, url: str, fields: dict[str, str]) -> None:
    page = submit(api, url, new_password=NEW, **fields)

    assert (page.status_code, 'role="alert"' in page.text) == (400, True)


def test_an_address_taken_meanwhile_is_told_on_the_page(api: ServiceClient, make_user: MakeUser, link: Link) -> None:
    late = make_user(pending_email="new@example.org", pending_agreed=True)
    make_user(email="new@example.org")
    token = link("change_email", late, "new@example.org")

    page, problem = submit(api, VERIFY, token=token), api.post(VERIFY, {"token": token})

    assert (page.status_code, "Another account has taken" in page.text) == (400, True)
    assert (problem.status_code, problem.json()["code"]) == (409, "email_taken")


def test_a_program_confirms_an_address(api: ServiceClient, user: User, link: Link) -> None:
    token = link("verify_email", user)

    assert [api.post(VERIFY, {"token": token}).status_code for _ in range(2)] == [204, 204]


def test_a_program_that_takes_pages_too_gets_an_empty_answer(api: ServiceClient, user: User, link: Link) -> None:
    answer = api.post(VERIFY, {"token": link("verify_email", user)}, HTTP_ACCEPT="text/html")

    assert (answer.status_code, answer.content) == (204, b"")


def test_a_program_sets_a_password_once(api: ServiceClient, user: User, link: Link) -> None:
    body = {"token": link("reset_password", user), "new_password": NEW}

    answers = [api.post(RESET, body) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [204, 400]
    assert answers[1].json()["errors"][0] == {
        "pointer": "#/token",
        "code": "invalid_token",
        "detail": "This link is not valid, or not any more. Ask for a new one.",
    }


@pytest.mark.parametrize("url", PAGES)
@pytest.mark.parametrize("token", ["", "x", "a:b:c", None, 5, ["x"], {}, "x" * 4097], ids=lambda token: repr(token)[:8])
def test_what_is_no_token_of_a_mail_is_400(api: ServiceClient, db: None, url: str, token: object) -> None:
    refusal = api.post(url, {"token": token, "new_password": NEW})

    assert (refusal.status_code, refusal.json()["errors"][0]["pointer"]) == (400, "#/token")


@pytest.mark.parametrize("url", PAGES)
@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data; boundary=x", "application/xml"])
def test_other_kinds_of_body_are_415(api: ServiceClient, db: None, url: str, kind: str) -> None:
    assert api.generic("POST", url, "token=x", content_type=kind).status_code == 415


def test_the_old_address_agrees_and_stops_by_the_form(api: ServiceClient, make_user: MakeUser, link: Link) -> None:
    user = make_user(email="old@example.org", email_verified=True, pending_email="new@example.org")
    agreed = submit(api, AGREE, token=link("agree_email", user, addresses.digest("new@example.org")))
    user.refresh_from_db()
    assert (agreed.status_code, user.pending_agreed) == (200, True)

    stopped = submit(api, STOP, token=link("stop_change", user))

    user.refresh_from_db()
    assert (stopped.status_code, user.pending_email, user.token_epoch) == (200, "", 1)
