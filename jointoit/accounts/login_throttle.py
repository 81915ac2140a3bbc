"""Keeps passwords from being guessed without letting a stranger lock the owner out.

Only failures count: strictly for one account from one place (`login`), generously for one address (`login_address`: a
hall is behind one), and for one account from everywhere (`account`), because a guesser may come from many addresses.
The account is counted, whichever name it was called by, and one that does not exist as well. When that last count is
spent, places where the account was signed in to within 90 days still pass: the owner's own networks, and browsers with
the signed cookie of the admin. The count belongs to the account's `token_epoch`: a reset begins a new one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final

from django.http import HttpRequest
from rest_framework.exceptions import Throttled

from jointoit.accounts import notifications, tokens
from jointoit.accounts.models import LoginPlace, User
from jointoit.api import security_log
from jointoit.api.throttling import throttle
from jointoit.api.throttling.client_address import client_address
from jointoit.mail.messages import GuessesRefused

REMEMBERED: Final = timedelta(days=90)
COOKIE_SALT: Final = "jointoit.accounts.login"


def origin_of(request: HttpRequest) -> str:
    """Where a request comes from, as it is kept: nobody can read the address from it."""
    return tokens.keyed_hash("origin", client_address(request))


@contextmanager
def attempt(
    request: HttpRequest, *, login: str, failure: type[Exception], now: datetime, action: str, cookie: str = ""
) -> Iterator[User | None]:
    """Give the account that `login` names, and count the attempt if it ends in `failure`.

    `cookie` is that of a browser which signed in before, `action` the name in the log. Raises Throttled.
    """
    user = User.objects.by_login(login).first()
    account = account_of(user, login)
    whose: dict[str, Any] = {"user_id": user.pk} if user else {"name": account[:16]}
    origin = cookie if user and cookie.startswith(f"{user.pk}.") else origin_of(request)
    counted = [("login", f"{account} {origin}"), ("login_address", origin)]
    found = throttle.consume_all(counted, now)
    if found and not found[-1].allowed:
        security_log.note(action, "refused", rate=found[-1].scope, **whose)
    throttle.raise_if_refused(request, found)
    everywhere = throttle.consume_all([("account", account)], now)
    if all(status.allowed for status in everywhere):
        counted.append(("account", account))
    else:
        notifications.tell_once_a_day(GuessesRefused, user, about=account, now=now)
        if not is_known(user, origin, now=now):
            throttle.give_back(counted)
            security_log.note(action, "refused", rate="account", **whose)
            raise Throttled(wait=everywhere[0].retry_after)
    failed = False
    try:
        yield user
    except failure:
        failed = True
        security_log.note(action, "failed", **whose)
        raise
    finally:
        if not failed:
            throttle.give_back(counted)
        told = [status for status in found if status.scope == "login"]
        throttle.note(request, told if failed else [status.given_back() for status in told])


def account_of(user: User | None, login: str) -> str:
    if user:
        return f"{user.pk}:{user.token_epoch}"
    return tokens.keyed_hash("account", User.normalize_username(login).upper().casefold())  # as the look-up


def is_known(user: User | None, origin: str, *, now: datetime) -> bool:
    """Whether the account was signed in to from there lately; of one that does not exist the same is asked."""
    places = LoginPlace.objects.filter(user=user.pk if user else 0, origin=origin, seen_at__gt=now - REMEMBERED)
    return places.exists() or (user is not None and origin.startswith(f"{user.pk}."))


def remember(user: User, *, request: HttpRequest, now: datetime, action: str) -> None:
    """Note that `user` signed in from there."""
    security_log.note(action, "ok", user_id=user.pk)
    place = LoginPlace(user=user, origin=origin_of(request), seen_at=now)
    LoginPlace.objects.bulk_create(
        [place], update_conflicts=True, unique_fields=["user", "origin"], update_fields=["seen_at"]
    )


def prune(now: datetime) -> int:
    """Forget places from which nobody has signed in lately; returns how many."""
    deleted, _ = LoginPlace.objects.filter(seen_at__lte=now - REMEMBERED).delete()
    return deleted
