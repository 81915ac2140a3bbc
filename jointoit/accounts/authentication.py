"""Who sends a request: the access token or the key in its Authorization header (RFC 6750 section 2.1)."""

from typing import Any

from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from jointoit.accounts import keys, tokens
from jointoit.accounts.callers import Caller, DoorKeeper, ScopeMissing
from jointoit.accounts.jwt import AccessToken
from jointoit.accounts.models import ApiKey, User


class TokenAuthentication(BaseAuthentication):
    """Loads the sender with one query; every header that names nobody is refused with one and the same 401."""

    def authenticate(self, request: Request) -> Any:
        header: str | None = request.META.get("HTTP_AUTHORIZATION")
        if header is None:
            return None
        # A header that is there and names nobody is refused even where anyone may read, so that a client whose token
        # has died hears of it. An empty one too: that is how granian hands over a value that is not ASCII.
        # RFC 9110 section 11.1: the scheme may come in any case.
        scheme, _, token = header.partition(" ")
        try:
            if scheme.lower() != "bearer":
                raise tokens.DeadToken
            return self.identify(request, token.strip(" "))
        except tokens.DeadToken as error:
            raise AuthenticationFailed(error.message, code=error.code) from None

    def identify(self, request: Request, token: str) -> Any:
        """Who has this token. Raises DeadToken, ScopeMissing."""
        return authenticate(request, token)

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


def authenticate(request: Request, token: str) -> tuple[User, AccessToken | ApiKey]:
    """Look the account up, unless the view `defers_account_check`: its verb does so, and refuses with the same 401."""
    view = request.parser_context.get("view")
    if token.startswith(f"{keys.PREFIX}_"):
        user, key = keys.authenticate(token, now=timezone.now())
        demand_scope(request, key)
        return user, key
    return tokens.claims_only(token) if getattr(view, "defers_account_check", False) else tokens.authenticate(token)


def demand_scope(request: Request, key: ApiKey) -> None:
    """A view names in `scopes`, by method, what a key has to be for; what it does not name is for no key."""
    view = request.parser_context.get("view")
    if getattr(view, "scopes", {}).get("GET" if request.method == "HEAD" else request.method) not in key.scopes:
        raise ScopeMissing


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = TokenAuthentication
    name = ["accessToken", "apiKey"]

    def get_security_definition(self, auto_schema: object) -> list[dict[str, str]]:
        bearer = {"type": "http", "scheme": "bearer"}
        return [
            bearer
            | {
                "bearerFormat": "JWT",
                "description": "The `access` token of `POST /api/token/`, good for 15 minutes.",
            },
            bearer | {"description": "A key of `POST /users/me/keys/`, for the calls that name one of its scopes."},
        ]

    def get_security_requirement(self, auto_schema: object) -> dict[str, list[str]]:
        """The one without the other; AutoSchema adds the key where a call names a scope."""
        return {"accessToken": []}


def sender(request: Request) -> User:
    """Whoever sends it, where a permission has made sure that there is somebody."""
    assert isinstance(request.user, User)
    return request.user


def caller_of(request: Request) -> Caller:
    who: Any = request.user
    key = request.auth if isinstance(request.auth, ApiKey) else None
    return Caller(who if isinstance(who, User) else None, key, door=who if isinstance(who, DoorKeeper) else None)
