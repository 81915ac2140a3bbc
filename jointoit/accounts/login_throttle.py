"""Keeps passwords from being guessed without letting a stranger lock the owner out.

Each address has the rate `login`. Each account, existing or not, has the wider rate `account`, because one guesser may
come from many addresses. When that one is spent, addresses from which somebody is signed in to the account still pass:
the owner's own devices and networks, which the guesser does not have.
"""

from datetime import datetime

from rest_framework.exceptions import Throttled
from rest_framework.request import Request

from jointoit.accounts import tokens
from jointoit.accounts.models import RefreshToken, User
from jointoit.api.throttling import throttle
from jointoit.api.throttling.client_address import client_address


def origin_of(request: Request) -> str:
    """Where a request comes from, as it is kept beside a refresh token."""
    return tokens.keyed_hash("origin", client_address(request._request))


def refuse(*, login: str, origin: str, now: datetime) -> None:
    """Count one attempt at an account, named as typed. Raises Throttled.

    Not part of the RateLimit headers: how many others try is nobody's business.
    """
    account = tokens.keyed_hash("account", User.normalize_username(login).upper().casefold())  # as the look-up
    spent = throttle.consume("account", account, now)
    if spent and not spent.allowed and not is_at_home(login, origin):
        raise Throttled(wait=spent.retry_after)


def is_at_home(login: str, origin: str) -> bool:
    return RefreshToken.objects.filter(user__in=User.objects.by_login(login), origin=origin).exists()
