"""The two kinds of token, on top of simplejwt's classes: what is signed, by which key, and what a claim may be."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Self

from django.conf import settings
from jwt import InvalidSignatureError, PyJWK
from jwt.utils import base64url_encode
from rest_framework_simplejwt import tokens
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError, TokenError

from jointoit.accounts.models import User

#: Characters. Ours have about 300; longer ones are not worth the work of a signature.
LONGEST = 2048
USER_ID = re.compile("[1-9][0-9]{0,18}")
HEXADECIMAL = re.compile("[0-9a-f]{32}|[0-9a-f]{64}")  # a random id, or an HMAC
LAST_SECOND = 253_402_300_799  # the end of the year 9999, which is the last that Python can name


class KeyRing(TokenBackend):
    """Signs with one key and believes that one and the older ones, with one algorithm (RFC 8725 section 3.1)."""

    def __init__(self, *, signing_key: str, old_keys: Sequence[str] = ()) -> None:
        options = settings.SIMPLE_JWT
        shared = {"algorithm": options["ALGORITHM"], "audience": options["AUDIENCE"], "issuer": options["ISSUER"]}
        super().__init__(signing_key=signing_key, **shared)
        # As a JWK it is looked at once, and not at every token, for being the public half of a pair.
        octets = base64url_encode(signing_key.encode()).decode()
        self.known_key = PyJWK({"kty": "oct", "k": octets}, algorithm=options["ALGORITHM"])
        self.older = [TokenBackend(signing_key=key, **shared) for key in old_keys]

    def get_verifying_key(self, token: Any) -> PyJWK:
        return self.known_key

    def decode(self, token: Any, verify: bool = True) -> dict[str, Any]:
        """Return the claims. Raises TokenBackendError for everything that is not a token of ours, however odd."""
        try:
            if len(token) > LONGEST:
                raise TokenBackendError("longer than any token of ours")
            return with_whole_times(self.decode_by_any_key(token, verify))
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            raise TokenBackendError("not a token") from error

    def decode_by_any_key(self, token: Any, verify: bool) -> dict[str, Any]:
        try:
            return super().decode(token, verify)
        except TokenBackendError as error:
            if not isinstance(error.__cause__, InvalidSignatureError):
                raise
            refusal = error
        for backend in self.older:
            try:
                return backend.decode(token, verify)
            except TokenBackendError as error:
                refusal = error
        raise refusal


def with_whole_times(claims: dict[str, Any]) -> dict[str, Any]:
    """Let pass only whole seconds that fit a date, where RFC 7519 section 2 allows any number. Raises ValueError."""
    for name in ("iat", "exp", "nbf"):
        if name in claims:
            natural(claims[name], LAST_SECOND)
    return claims


def natural(value: object, largest: int) -> int:
    """`value` if it is an integer from 0 to `largest`, which True is not. Raises ValueError."""
    if type(value) is not int or not 0 <= value <= largest:
        raise ValueError
    return value


class EpochToken(tokens.Token):
    """A token that names its holder and the token_epoch of that moment."""

    _token_backend = KeyRing(signing_key=settings.SIMPLE_JWT["SIGNING_KEY"], old_keys=settings.JWT_OLD_SIGNING_KEYS)

    @classmethod
    def issue(cls, user: User, *, now: datetime, **claims: str) -> Self:
        token = cls()
        token["user_id"], token["epoch"] = str(user.pk), user.token_epoch
        token.payload.update(claims)
        token.set_iat(at_time=now)
        token.set_exp(from_time=now)
        return token

    def verify(self) -> None:
        super().verify()
        try:
            self.check_claims()
        except (KeyError, ValueError, TypeError) as error:
            raise TokenError("Token is invalid") from error

    def check_claims(self) -> None:
        """Raises KeyError, TypeError or ValueError where a claim is missing or odd."""
        self.whose()

    def whose(self) -> dict[str, int]:
        """The holder and the epoch as columns of the user. Raises KeyError, TypeError or ValueError for odd claims."""
        if not USER_ID.fullmatch(self["user_id"]):
            raise ValueError
        return {"pk": natural(int(self["user_id"]), 2**63 - 1), "token_epoch": natural(self["epoch"], 2**31 - 1)}


class AccessToken(EpochToken, tokens.AccessToken):
    """What a request carries."""


class RefreshToken(EpochToken, tokens.RefreshToken):  # type: ignore[misc]  # two forms of for_user, which is not used
    """What the next pair is asked for with; `jti` is the key of its row, `family` outlives it."""

    def check_claims(self) -> None:
        super().check_claims()
        if not (HEXADECIMAL.fullmatch(self["jti"]) and HEXADECIMAL.fullmatch(self["family"])):
            raise ValueError
