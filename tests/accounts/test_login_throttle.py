"""Passwords cannot be guessed, and guessing does not lock the owner out."""

import pytest

from tests.client import ServiceClient

from .conftest import PASSWORD, MakeUser, Rates

TOKEN = "/api/token/"


def guess(api: ServiceClient, login: str = "ada", *, address: str = "192.0.2.1", password: str = "wrong") -> int:
    return api.post(TOKEN, {"username": login, "password": password}, REMOTE_ADDR=address).status_code


def test_one_address_has_its_number_of_attempts(api: ServiceClient, make_user: MakeUser, rates: Rates) -> None:
    make_user(username="ada")
    rates(login="3/day")

    assert [guess(api, name) for name in ("ada", "bob", "eve", "ada")] == [401, 401, 401, 429]
    assert guess(api, address="192.0.2.2", password=PASSWORD) == 200


def test_one_account_has_its_number_of_attempts_from_all_addresses(
    api: ServiceClient, make_user: MakeUser, rates: Rates
) -> None:
    make_user(username="ada")
    rates(account="3/day")

    answers = [guess(api, login, address=f"192.0.2.{n}") for n, login in enumerate(("ada", "ADA", "ａｄａ", "ada"))]

    assert answers == [401, 401, 401, 429]
    assert guess(api, "bob") == 401


def test_an_unknown_account_is_counted_just_the_same(api: ServiceClient, db: None, rates: Rates) -> None:
    rates(account="3/day")

    assert [guess(api, address=f"192.0.2.{number}") for number in range(4)] == [401, 401, 401, 429]


def test_guessing_does_not_lock_out_whoever_is_signed_in_from_there(
    api: ServiceClient, make_user: MakeUser, rates: Rates
) -> None:
    make_user(username="ada")
    rates(account="3/day")
    assert guess(api, address="198.51.100.7", password=PASSWORD) == 200
    assert [guess(api, address=f"192.0.2.{number}") for number in range(3)] == [401, 401, 429]

    assert guess(api, address="198.51.100.7", password=PASSWORD) == 200
    assert guess(api, address="192.0.2.9", password=PASSWORD) == 429


def test_a_home_of_one_account_is_not_that_of_another(api: ServiceClient, make_user: MakeUser, rates: Rates) -> None:
    make_user(username="ada")
    make_user(username="eve")
    assert guess(api, "eve", password=PASSWORD) == 200
    rates(account="1/day")

    assert [guess(api), guess(api)] == [401, 429]


def test_how_many_others_try_does_not_show(api: ServiceClient, make_user: MakeUser, rates: Rates) -> None:
    make_user(username="ada")
    rates(account="5/day", login="5/day")

    headers = api.post(TOKEN, {"username": "ada", "password": "wrong"}).headers

    assert headers["RateLimit-Policy"] == '"login";q=5;w=86400'


@pytest.mark.parametrize(("url", "scope"), [("/users/register/", "signup"), ("/users/password-reset/", "reset")])
def test_sign_up_and_reset_have_rates_of_their_own(
    api: ServiceClient, db: None, rates: Rates, url: str, scope: str
) -> None:
    rates(**{scope: "1/day"})

    assert [api.post(url, {}).status_code for _ in range(2)] == [400, 429]
