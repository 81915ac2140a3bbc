"""Passwords cannot be guessed, and guessing does not lock the owner out."""

from datetime import datetime

import pytest

from jointoit.accounts import login_throttle, passwords
from jointoit.mail.models import OutboxMail
from tests.client import ServiceClient

from .conftest import PASSWORD, Link, Mails, MakeUser, Rates

TOKEN = "/api/token/"
NAMES = ("ada", "ADA@example.org", "ａｄａ", "ada")


def guess(api: ServiceClient, login: str = "ada", *, address: str = "192.0.2.1", password: str = "wrong") -> int:
    return api.post(TOKEN, {"username": login, "password": password}, REMOTE_ADDR=address).status_code


def test_one_address_has_its_number_of_failures_for_one_account(
    api: ServiceClient, make_user: MakeUser, rates: Rates
) -> None:
    make_user(username="ada")
    make_user(username="bob")
    rates(login="3/day")

    assert [guess(api) for _ in range(4)] == [401, 401, 401, 429]
    assert guess(api, password=PASSWORD) == 429
    assert guess(api, "bob", password=PASSWORD) == 200
    assert guess(api, address="192.0.2.2", password=PASSWORD) == 200


def test_a_hall_behind_one_address_logs_in(api: ServiceClient, make_user: MakeUser, rates: Rates) -> None:
    rates(login="1/day", login_address="1/day", account="1/day")
    for number in range(5):
        make_user(username=f"guest{number}")

    assert [guess(api, f"guest{number}", password=PASSWORD) for number in range(5)] == [200] * 5


def test_one_address_has_its_number_of_failures_over_all_accounts(api: ServiceClient, db: None, rates: Rates) -> None:
    rates(login_address="3/day")

    assert [guess(api, f"guest{number}") for number in range(4)] == [401, 401, 401, 429]


def test_only_failures_count(api: ServiceClient, make_user: MakeUser, rates: Rates) -> None:
    make_user(username="ada")
    rates(login="2/day", account="2/day")

    given = [PASSWORD, PASSWORD, PASSWORD, "wrong", PASSWORD, "wrong", PASSWORD]

    assert [guess(api, password=password) for password in given] == [200, 200, 200, 401, 200, 401, 429]


def test_one_account_has_its_number_of_attempts_from_all_addresses(
    api: ServiceClient, make_user: MakeUser, rates: Rates
) -> None:
    make_user(username="ada", email="ada@example.org")
    rates(account="3/day")

    answers = [guess(api, login, address=f"192.0.2.{n}") for n, login in enumerate(NAMES)]

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
    assert [guess(api, address=f"192.0.2.{number}") for number in range(4)] == [401, 401, 401, 429]

    assert guess(api, address="198.51.100.7", password=PASSWORD) == 200
    assert guess(api, address="192.0.2.9", password=PASSWORD) == 429


def lock_out(api: ServiceClient, *, address: str = "192.0.2.1") -> list[int]:
    """With the rate 1/day for an account: one failure, and one refusal."""
    return [guess(api, address=address) for _ in range(2)]


def test_the_owner_passes_after_a_change_of_password_as_well(
    api: ServiceClient, make_user: MakeUser, rates: Rates, now: datetime
) -> None:
    user = make_user(username="ada")
    assert guess(api, address="198.51.100.7", password=PASSWORD) == 200
    passwords.change(user=user, current_password=PASSWORD, new_password="weaving algebra")
    rates(account="1/day")
    assert lock_out(api) == [401, 429]

    assert guess(api, address="198.51.100.7", password="weaving algebra") == 200


def test_after_90_days_a_place_is_new_again(
    api: ServiceClient, make_user: MakeUser, rates: Rates, now: datetime
) -> None:
    user = make_user(username="ada")
    assert guess(api, address="198.51.100.7", password=PASSWORD) == 200
    user.login_places.update(seen_at=now - login_throttle.REMEMBERED)
    rates(account="1/day")
    assert lock_out(api) == [401, 429]

    assert guess(api, address="198.51.100.7", password=PASSWORD) == 429
    assert login_throttle.prune(now) == 1


def test_a_reset_clears_the_count_of_the_account(
    api: ServiceClient, make_user: MakeUser, rates: Rates, link: Link
) -> None:
    user = make_user(username="ada")
    rates(account="1/day")
    assert lock_out(api) == [401, 429]

    passwords.reset(token=link("reset_password", user), new_password="weaving algebra")

    assert guess(api, address="203.0.113.1", password="weaving algebra") == 200


def test_a_refused_attempt_is_no_failure_of_the_address(api: ServiceClient, make_user: MakeUser, rates: Rates) -> None:
    make_user(username="ada")
    rates(account="1/day", login_address="2/day")

    assert [guess(api) for _ in range(5)] == [401, 429, 429, 429, 429]
    assert guess(api, "bob") == 401


def test_the_owner_is_told_once_a_day(api: ServiceClient, make_user: MakeUser, rates: Rates, mails: Mails) -> None:
    make_user(username="ada", email="ada@example.org")
    rates(account="1/day")

    for number in range(3):
        lock_out(api, address=f"192.0.2.{number}")

    assert mails() == [("guesses_refused", "ada@example.org")]


def test_of_an_account_that_is_not_there_the_same_row_is_written_but_never_sent(
    api: ServiceClient, db: None, rates: Rates
) -> None:
    rates(account="1/day")

    lock_out(api)

    mail = OutboxMail.objects.get()
    assert (mail.kind, mail.recipient) == ("guesses_refused", "nobody@account.invalid")
    assert mail.expires_at
    assert mail.expires_at <= mail.created_at


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

    assert (headers["RateLimit-Policy"], headers["RateLimit"]) == ('"login";q=5;w=86400', '"login";r=4;t=17280')


def test_what_did_not_count_does_not_show(api: ServiceClient, make_user: MakeUser, rates: Rates) -> None:
    make_user(username="ada")
    rates(login="5/day")

    assert api.post(TOKEN, {"username": "ada", "password": PASSWORD})["RateLimit"] == '"login";r=5;t=0'


@pytest.mark.parametrize(("url", "scope"), [("/users/register/", "signup"), ("/users/password-reset/", "reset")])
def test_sign_up_and_reset_have_rates_of_their_own(
    api: ServiceClient, db: None, rates: Rates, url: str, scope: str
) -> None:
    rates(**{scope: "1/day"})

    assert [api.post(url, {}).status_code for _ in range(2)] == [400, 429]
