"""What is accepted as a token of ours, and what is not."""

import hmac
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import jwt as pyjwt
import pytest
from django.conf import settings
from rest_framework_simplejwt.exceptions import TokenBackendError, TokenError

from jointoit.accounts.jwt import AccessToken, KeyRing, RefreshToken
from jointoit.accounts.models import User

ODD: dict[str, list[Any]] = {
    "user_id": [[7], {"pk": 7}, "seven", "-7", "", "0", "07", "٧", "7" * 40, "7" * 5000, str(2**63), 7, True, 7.0],
    "epoch": ["3", -1, 3.0, True, [3], 2**31, 10**30],
    "exp": ["soon", [1], {}, True, -1, 0, 1.8e9, 1e400, 10**18, 10**400],
    "iat": ["now", [1], True, -1, 10**400],
    "nbf": ["now", [1], {}, 4_000_000_000, 10**400],
    "jti": [[1], 5],
    "token_type": ["refresh", ["access"], 1],
    "iss": ["somebody", ["jointoit"], 1],
    "aud": ["other-api", {"a": 1}, 5],
}
OLD, NEW, FOREIGN = ("".join([letter] * 32) for letter in "onf")


def signed(claims: dict[str, Any], **changes: Any) -> str:
    """The claims of a good token with some of them changed; None leaves one out."""
    present = {name: value for name, value in (claims | changes).items() if value is not None}
    return pyjwt.api_jws.encode(json.dumps(present).encode(), settings.SIMPLE_JWT["SIGNING_KEY"], algorithm="HS256")


@pytest.fixture
def claims(now: datetime) -> dict[str, Any]:
    token = AccessToken.issue(User(pk=7, token_epoch=3), now=now)
    return token.payload | {"iss": "jointoit", "aud": "jointoit-api"}


def test_a_token_says_who_and_as_of_when(claims: dict[str, Any], now: datetime) -> None:
    token = AccessToken(signed(claims))  # type: ignore[arg-type]

    assert token.whose() == {"pk": 7, "token_epoch": 3}
    assert (claims["iat"], claims["exp"]) == (int(now.timestamp()), int(now.timestamp()) + 900)


@pytest.mark.parametrize("name", ["user_id", "epoch", "exp", "jti", "token_type", "iss", "aud"])
def test_a_token_without_one_of_its_claims_is_none(claims: dict[str, Any], name: str) -> None:
    with pytest.raises(TokenError):
        AccessToken(signed(claims, **{name: None}))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, odd) for name, values in ODD.items() for odd in values],
    ids=lambda value: str(value)[:12],
)
def test_a_signed_token_with_odd_claims_is_none(claims: dict[str, Any], name: str, value: object) -> None:
    with pytest.raises(TokenError):
        AccessToken(signed(claims, **{name: value}))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "raw",
    ["", ".", "..", "a.b.c", "e30.e30.", "é.é.é", "x" * 9000, "WyI" + "W1tb" * 300 + ".e30.", b"\xff.\xff.\xff"],
    ids=lambda raw: str(raw)[:12],
)
def test_junk_is_no_token(raw: Any) -> None:
    with pytest.raises(TokenError):
        AccessToken(raw)


@pytest.mark.parametrize("algorithm", ["none", "HS384", "HS512"])
def test_only_one_algorithm_is_believed(claims: dict[str, Any], algorithm: str) -> None:
    key = "" if algorithm == "none" else "".join([settings.SIMPLE_JWT["SIGNING_KEY"]] * 2)
    with pytest.raises(TokenError):
        AccessToken(pyjwt.encode(claims, key, algorithm=algorithm))  # type: ignore[arg-type]


def test_a_signature_of_another_key_is_not_believed(claims: dict[str, Any]) -> None:
    with pytest.raises(TokenError):
        AccessToken(pyjwt.encode(claims, FOREIGN, algorithm="HS256"))  # type: ignore[arg-type]


@pytest.fixture
def rings() -> Callable[..., KeyRing]:
    return lambda key, *old: KeyRing(signing_key=key, old_keys=old)


def test_what_an_old_key_signed_is_still_believed(rings: Callable[..., KeyRing], claims: dict[str, Any]) -> None:
    token: Any = rings(OLD).encode(claims)

    assert rings(NEW, FOREIGN, OLD).decode(token) == claims


def test_the_new_key_signs(rings: Callable[..., KeyRing], claims: dict[str, Any]) -> None:
    token: Any = rings(NEW, OLD).encode(claims)

    assert rings(NEW).decode(token) == claims
    with pytest.raises(TokenBackendError):
        rings(OLD).decode(token)


def test_a_key_that_was_dropped_is_not_believed(rings: Callable[..., KeyRing], claims: dict[str, Any]) -> None:
    token: Any = rings(OLD).encode(claims)

    for ring in (rings(NEW), rings(NEW, FOREIGN)):
        with pytest.raises(TokenBackendError):
            ring.decode(token)


def test_an_expired_token_of_an_old_key_is_not_believed(rings: Callable[..., KeyRing], claims: dict[str, Any]) -> None:
    token: Any = rings(OLD).encode(claims | {"exp": 1})

    with pytest.raises(TokenBackendError):
        rings(NEW, OLD).decode(token)


def test_a_refresh_token_lives_for_thirty_days(now: datetime) -> None:
    token = RefreshToken.issue(User(pk=7), now=now, family="f")

    assert token["exp"] - token["iat"] == 30 * 24 * 3600


def test_a_payload_in_other_letters_is_not_believed(claims: dict[str, Any]) -> None:
    """What the key signed, with letters between those of base64url that a lenient reader skips."""
    header, payload, _ = signed(claims).split(".")
    body = f"{header}.{payload[:8]}!{payload[8:]}"
    signature = pyjwt.utils.base64url_encode(
        hmac.digest(settings.SIMPLE_JWT["SIGNING_KEY"].encode(), body.encode(), "sha256")
    )

    with pytest.raises(TokenError):
        AccessToken(f"{body}.{signature.decode()}")  # type: ignore[arg-type]
