"""Opening an account, at the verb."""

from datetime import datetime

import pytest
from django.db import IntegrityError

from jointoit.accounts.models import User
from jointoit.accounts.passwords import WeakPassword
from jointoit.accounts.signup import sign_up
from jointoit.accounts.uniqueness import EmailTaken, UsernameTaken, refusals_named

from .conftest import Mails, MakeUser

ADA = {"username": "ada", "email": "Ada@example.org", "password": "weaving algebra"}
pytestmark = pytest.mark.django_db


def test_an_account_works_at_once_with_an_address_yet_to_be_confirmed(now: datetime) -> None:
    user = sign_up(**ADA, now=now)

    assert (user.is_active, user.email_verified, user.is_staff, user.date_joined) == (True, False, False, now)
    assert user.check_password("weaving algebra")


def test_one_welcome_mail_is_promised_with_the_account(now: datetime, mails: Mails) -> None:
    sign_up(**ADA, now=now)

    assert mails() == [("welcome", "Ada@example.org")]


@pytest.mark.parametrize("email", ["Ada@example.org", "ada@EXAMPLE.org", "ADA@EXAMPLE.ORG"])
def test_one_address_in_any_case_has_one_account(now: datetime, mails: Mails, email: str) -> None:
    sign_up(**ADA, now=now)

    with pytest.raises(EmailTaken) as refusal:
        sign_up(**ADA | {"username": "other", "email": email}, now=now)

    assert (refusal.value.field, len(mails())) == ("email", 1)


@pytest.mark.parametrize("username", ["ada", "ADA", "ａｄａ"])
def test_one_name_in_any_case_and_width_has_one_account(now: datetime, username: str) -> None:
    sign_up(**ADA, now=now)

    with pytest.raises(UsernameTaken) as refusal:
        sign_up(**ADA | {"username": username, "email": "b@example.org"}, now=now)

    assert refusal.value.field == "username"


@pytest.mark.parametrize(
    "password",
    ["short", "password1", "12345678901", "        ", "lovelace1", "ada-lovelace", "\t \u2003 \n \t \n"],
    ids=["short", "common", "digits", "spaces", "like the last name", "like the address", "only white space"],
)
def test_a_password_that_is_easy_to_guess_is_refused(now: datetime, mails: Mails, password: str) -> None:
    with pytest.raises(WeakPassword) as refusal:
        sign_up(**ADA | {"email": "ada-lovelace@example.org", "last_name": "Lovelace", "password": password}, now=now)

    assert (refusal.value.field, mails()) == ("password", [])


def test_another_refusal_of_the_database_keeps_its_name(make_user: MakeUser) -> None:
    with pytest.raises(IntegrityError), refusals_named():
        User.objects.filter(pk=make_user().pk).update(token_epoch=-1)


def test_every_reason_against_a_password_is_told(now: datetime) -> None:
    with pytest.raises(WeakPassword, match=r"too short.*too common.*entirely numeric"):
        sign_up(**ADA | {"password": "1234"}, now=now)


@pytest.mark.parametrize(
    "password", ["x1" * 32, "y2" * 64, "z3" * 512, "🐎🔋📎 wird es", "  inner  and outer  "], ids=len
)
def test_a_password_is_kept_exactly_as_it_was_sent(now: datetime, password: str) -> None:
    user = sign_up(**ADA | {"password": password}, now=now)

    assert [user.check_password(each) for each in (password, password.strip() + "x", f" {password}")] == [
        True,
        False,
        False,
    ]
