"""Nobody's password is the name of the service, or words of their own account."""

from typing import Any

import pytest
from pytest_django import Settings

from jointoit.accounts.models import User
from jointoit.accounts.passwords import WeakPassword, refuse_weak


@pytest.fixture
def ada(settings: Settings) -> User:
    settings.PUBLIC_URL = "https://meetings.example.org"
    return User(username="adalove", email="countess@engines.test", first_name="Augusta", last_name="King")


@pytest.mark.parametrize(
    "password",
    [
        "jointoit1",
        "JOINTOIT2026!",
        "jointoit-jointoit",
        "meetings2026",
        "Meetings.Example.org",
        "adalove1815",
        "Countess-Engines-7",
        "augusta_king_1",
        "1augusta!jointoit",
    ],
)
def test_known_words_with_digits_and_signs_are_refused(ada: User, password: str) -> None:
    with pytest.raises(WeakPassword):
        refuse_weak(password, user=ada, field="password")


@pytest.mark.parametrize("password", ["jointoit weaving", "my augusta engine", "weaving algebra", "1815-12-10 !?"])
def test_words_beside_others_are_allowed(ada: User, password: str) -> None:
    refuse_weak(password, user=ada, field="password")


def test_an_account_without_a_name_yet_is_no_fault(ada: Any) -> None:
    refuse_weak("weaving algebra", user=User(), field="password")
