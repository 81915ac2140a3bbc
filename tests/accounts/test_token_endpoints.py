"""Signing in and out over HTTP."""

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from jointoit.accounts.models import RefreshToken
from tests.client import ServiceClient

from .conftest import ME, PASSWORD, MakeUser, PairOf

TOKEN, REFRESH, VERIFY, BLACKLIST = "/api/token/", "/api/token/refresh/", "/api/token/verify/", "/api/token/blacklist/"


@pytest.mark.parametrize("login", ["ada", "ADA", "ａｄａ", "ada@example.org", "Ada@EXAMPLE.org"])
def test_name_and_address_sign_in_in_any_case(api: ServiceClient, make_user: MakeUser, login: str) -> None:
    make_user(username="ada", email="ada@example.org")

    answer = api.post(TOKEN, {"username": login, "password": PASSWORD})

    assert (answer.status_code, answer["Cache-Control"], sorted(answer.json())) == (
        200,
        "no-store",
        ["access", "refresh"],
    )
    assert api.get(ME, HTTP_AUTHORIZATION=f"Bearer {answer.json()['access']}").json()["username"] == "ada"


@pytest.mark.parametrize("login", [" ada", "ada ", "\u00a0ada\t", " ada@example.org "])
def test_blanks_around_a_name_count_as_little_as_at_sign_up(
    api: ServiceClient, make_user: MakeUser, login: str
) -> None:
    make_user(username="ada", email="ada@example.org")

    assert api.post(TOKEN, {"username": login, "password": PASSWORD}).status_code == 200


def test_an_address_in_its_own_script_signs_in(api: ServiceClient, make_user: MakeUser) -> None:
    make_user(email="ada@xn--bcher-kva.example")

    assert api.post(TOKEN, {"username": "ada@Bücher.example", "password": PASSWORD}).status_code == 200


def test_signing_in_costs_three_queries(
    api: ServiceClient, make_user: MakeUser, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_user(username="ada")

    with django_assert_num_queries(3):
        api.post(TOKEN, {"username": "ada", "password": PASSWORD})


@pytest.mark.parametrize("password", [f" {PASSWORD}", f"{PASSWORD} ", PASSWORD.upper(), "correct\u00adhorse-9"])
def test_a_password_counts_exactly_as_it_was_sent(api: ServiceClient, make_user: MakeUser, password: str) -> None:
    make_user(username="ada")

    assert api.post(TOKEN, {"username": "ada", "password": password}).status_code == 401


@pytest.mark.parametrize(
    "password", ["  spaces  around  ", "🐎🔋📎 are correct", "é composed", "e\u0301 composed", "q" * 128]
)
def test_what_was_chosen_signs_in(api: ServiceClient, make_user: MakeUser, password: str) -> None:
    user = make_user(username="ada")
    user.set_password(password)
    user.save()

    assert api.post(TOKEN, {"username": "ada", "password": password}).status_code == 200


def test_a_dead_token_does_not_keep_from_signing_in(api: ServiceClient, make_user: MakeUser) -> None:
    make_user(username="ada")

    answer = api.post(TOKEN, {"username": "ada", "password": PASSWORD}, HTTP_AUTHORIZATION="Bearer dead")

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "odd", [[], {}, ["x"], 5, 1.5, True, None, "", "p" * 1025, "nul\u0000"], ids=lambda odd: repr(odd)[:9]
)
@pytest.mark.parametrize("field", ["username", "password"])
def test_odd_values_are_400_and_named(api: ServiceClient, db: None, field: str, odd: object) -> None:
    refusal = api.post(TOKEN, {"username": "ada", "password": PASSWORD} | {field: odd})

    assert refusal.status_code == 400
    if "\0" not in str(odd):  # which the parser refuses for the whole body
        assert {error["pointer"] for error in refusal.json()["errors"]} == {f"#/{field}"}


@pytest.mark.parametrize(("url", "field"), [(REFRESH, "refresh"), (VERIFY, "token"), (BLACKLIST, "refresh")])
@pytest.mark.parametrize("junk", ["x", "a.b.c", "é", "x" * 4096], ids=["x", "abc", "é", "long"])
def test_junk_is_no_token(api: ServiceClient, db: None, url: str, field: str, junk: str) -> None:
    refusal = api.post(url, {field: junk})

    assert (refusal.status_code, refusal.json()["code"]) == (401, "token_not_valid")
    assert refusal["WWW-Authenticate"] == 'Bearer realm="api"'


@pytest.mark.parametrize(("url", "field"), [(REFRESH, "refresh"), (VERIFY, "token"), (BLACKLIST, "refresh")])
@pytest.mark.parametrize("odd", [[], {}, 5, True, None, ""], ids=repr)
def test_what_is_no_text_is_400(api: ServiceClient, db: None, url: str, field: str, odd: object) -> None:
    assert api.post(url, {field: odd}).status_code == 400


@pytest.mark.parametrize("url", [REFRESH, BLACKLIST])
def test_an_access_token_is_no_refresh_token(
    api: ServiceClient, make_user: MakeUser, pair_of: PairOf, url: str
) -> None:
    assert api.post(url, {"refresh": pair_of(make_user()).access}).status_code == 401


def test_a_refresh_token_gives_the_next_pair(api: ServiceClient, make_user: MakeUser, pair_of: PairOf) -> None:
    first = pair_of(make_user())

    answers = [api.post(REFRESH, {"refresh": first.refresh}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json()["refresh"] == answers[1].json()["refresh"] != first.refresh
    assert answers[0]["Cache-Control"] == "no-store"


def test_the_refresh_token_of_a_deleted_user_is_401(api: ServiceClient, make_user: MakeUser, pair_of: PairOf) -> None:
    user = make_user()
    pair = pair_of(user)
    user.delete()

    assert [api.post(REFRESH, {"refresh": raw}).status_code for raw in (pair.refresh, pair.access)] == [401, 401]


@pytest.mark.parametrize("kind", ["access", "refresh"])
def test_verify_says_yes_with_an_empty_object(
    api: ServiceClient, make_user: MakeUser, pair_of: PairOf, kind: str
) -> None:
    answer = api.post(VERIFY, {"token": getattr(pair_of(make_user()), kind)})

    assert (answer.status_code, answer.json()) == (200, {})


def test_signing_out_ends_the_refresh_token(api: ServiceClient, make_user: MakeUser, pair_of: PairOf) -> None:
    pair = pair_of(make_user())

    answers: list[Any] = [api.post(url, {"refresh": pair.refresh}) for url in (BLACKLIST, REFRESH, BLACKLIST)]

    assert [answer.status_code for answer in answers] == [200, 401, 401]
    assert not RefreshToken.objects.exists()
