import time
from collections.abc import Callable
from typing import Any, cast

import pytest

from jointoit.mail import links
from jointoit.mail.links import BadToken, Claims, Kind

CLAIMS = Claims(user_id=3, token_epoch=1, address="ada@example.org")
KINDS = list(links.LIFETIME)


@pytest.fixture
def minted(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """A token that was made so many seconds ago."""

    def minted(kind: Kind, *, ago: float = 0) -> str:
        with monkeypatch.context() as patch:
            then = time.time() - ago
            patch.setattr("django.core.signing.time.time", lambda: then)
            return links.mint(kind, user_id=3, token_epoch=1, address="ada@example.org")

    return minted


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_says_who_as_of_when_and_which_address(kind: Kind, minted: Callable[..., str]) -> None:
    assert links.read(kind, minted(kind)) == CLAIMS


@pytest.mark.parametrize(("kind", "hours"), [("verify_email", 72), ("change_email", 24), ("reset_password", 1)])
def test_a_token_lasts_its_time_and_not_longer(kind: Kind, hours: int, minted: Callable[..., str]) -> None:
    assert links.read(kind, minted(kind, ago=hours * 3600 - 5)) == CLAIMS
    with pytest.raises(BadToken):
        links.read(kind, minted(kind, ago=hours * 3600 + 5))


def test_a_token_is_good_for_one_purpose(minted: Callable[..., str]) -> None:
    with pytest.raises(BadToken):
        links.read("reset_password", minted("verify_email"))


def test_a_new_address_is_confirmed_in_the_same_place_as_the_first(minted: Callable[..., str]) -> None:
    assert links.read("verify_email", minted("change_email")) == CLAIMS


@pytest.mark.parametrize("junk", ["", ".", "a.b.c", "…", "\ud800", "WzEsMF0.1xVMTj.forged", "a" * 10_000])
def test_junk_is_refused_as_a_value_of_the_field_token(junk: str) -> None:
    with pytest.raises(BadToken) as refusal:
        links.read("verify_email", junk)

    assert (refusal.value.field, refusal.value.code) == ("token", "invalid_token")


def test_a_changed_token_is_refused(minted: Callable[..., str]) -> None:
    token = minted("verify_email")

    with pytest.raises(BadToken):
        links.read("verify_email", cast(Any, "X" + token[1:]))


@pytest.mark.parametrize(
    ("frontend", "kind", "address"),
    [
        ("", "verify_email", "https://api.example/users/verify-email/?token=t"),
        ("", "change_email", "https://api.example/users/verify-email/?token=t"),
        ("", "reset_password", "https://api.example/users/password-reset/confirm/?token=t"),
        ("https://www.example", "verify_email", "https://www.example/verify-email?token=t"),
        ("https://www.example", "reset_password", "https://www.example/reset-password?token=t"),
    ],
)
def test_a_link_leads_to_the_front_end_or_to_our_own_page(
    frontend: str, kind: Kind, address: str, settings: Any
) -> None:
    settings.PUBLIC_URL, settings.FRONTEND_URL = "https://api.example", frontend

    assert links.address_of(kind, "t") == address
