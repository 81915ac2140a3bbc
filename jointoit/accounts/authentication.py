"""Who sends a request: the access token in its Authorization header (RFC 6750 section 2.1)."""

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from jointoit.accounts import tokens
from jointoit.accounts.jwt import AccessToken
from jointoit.accounts.models import User


class TokenAuthentication(BaseAuthentication):
    """Loads the sender with one query; every header that names nobody is refused with one and the same 401."""

    def authenticate(self, request: Request) -> tuple[User, AccessToken] | None:
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
            return authenticate(request, token.strip(" "))
        except tokens.DeadToken as error:
            raise AuthenticationFailed(error.message, code=error.code) from None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


def authenticate(request: Request, token: str) -> tuple[User, AccessToken]:
    """Look the account up, unless the view `defers_account_check`: its verb does so, and refuses with the same 401."""
    view = request.parser_context.get("view")
    return tokens.claims_only(token) if getattr(view, "defers_account_check", False) else tokens.authenticate(token)


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = TokenAuthentication
    name = "accessToken"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "The `access` token of `POST /api/token/`, good for 15 minutes.",
        }


def sender(request: Request) -> User:
    """Whoever sends it, where a permission has made sure that there is somebody."""
    assert isinstance(request.user, User)
    return request.user
