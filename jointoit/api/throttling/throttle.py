"""Rates per caller: who is asking, which scopes count the request, and what the answer says of it.

Signed-in callers are counted by their id (`user`), others by their address (`anon`); a view with a `throttle_scope`
(login, signup, reset, register, invite), or one for the method, is counted in that one besides, one with a
`user_scope` (door) in that in place of `user`. The rates are `settings.RATES`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from django.http import HttpRequest
from django.utils import timezone
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from jointoit.api.throttling import buckets, rates
from jointoit.api.throttling.client_address import client_address
from jointoit.api.throttling.rates import BucketRequest, RateStatus

if TYPE_CHECKING:  # REST framework's views import this module through the settings
    from rest_framework.views import APIView

#: Without Redis these are counted in each process. Every other scope guards against guessing, spam or grabbing: it
#: is counted in PostgreSQL then, and never let through uncounted.
GENERAL = frozenset({"anon", "user", "door"})


def consume(scope: str, identity: str, now: datetime) -> RateStatus | None:
    """Count one request of `identity` in `scope`; None when the scope is off.

    Call it outside of a transaction: without Redis the count is a row, which must not wait for a commit. Raises
    django.db.Error when a sensitive scope can be counted nowhere (503, not open).
    """
    found = consume_all([(scope, identity)], now)
    return found[0] if found else None


def consume_all(wanted: Iterable[tuple[str, str]], now: datetime) -> list[RateStatus]:
    """As `consume`, for pairs of scope and identity, up to the first that refuses."""
    return buckets.take(bucket_requests(wanted), rates.microseconds(now))


def give_back(counted: Iterable[tuple[str, str]]) -> None:
    """Uncount one request of each: where only failures count, and it was none."""
    buckets.give_back(bucket_requests(counted))


def bucket_requests(wanted: Iterable[tuple[str, str]]) -> list[BucketRequest]:
    """One for each scope that is on, with who is counted in it."""
    return [
        BucketRequest(scope, rates.key_of(scope, identity), rate, sensitive=scope not in GENERAL)
        for scope, identity in wanted
        if (rate := rates.rate_of(scope))
    ]


def throttle_or_raise(request: Request, scope: str, identity: str, now: datetime) -> None:
    """Count one request and note it for the headers. Raises Throttled when there is nothing left."""
    found = consume_all([(scope, identity)], now)
    raise_if_refused(request._request, found)
    note(request._request, found)


def raise_if_refused(request: HttpRequest, found: Sequence[RateStatus]) -> None:
    """Raise Throttled where the last count refuses, and note that one for the headers."""
    if found and not found[-1].allowed:
        note(request, found[-1:])
        raise Throttled(wait=found[-1].retry_after)


class RateThrottle(BaseThrottle):
    def allow_request(self, request: Request, view: "APIView") -> bool:
        """Count the request in each of its scopes until one refuses."""
        found = buckets.take(bucket_requests(scopes(request, view)), rates.microseconds(timezone.now()))
        note(request._request, found)
        self.refusal = found[-1] if found and not found[-1].allowed else None
        return self.refusal is None

    def wait(self) -> int | None:
        return max(1, self.refusal.retry_after) if self.refusal else None


def scopes(request: Request, view: "APIView") -> Iterator[tuple[str, str]]:
    """Each scope that counts this request, with who is counted."""
    if request.user.is_authenticated:
        general, identity = getattr(view, "user_scope", "user"), f"user:{request.user.pk}"
    else:
        general, identity = "anon", f"address:{client_address(request._request)}"
    yield general, identity
    scope = getattr(view, "throttle_scope", None)
    if isinstance(scope, Mapping):
        scope = scope.get(request.method)
    if scope:
        yield scope, identity


# ── Headers ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def note(request: HttpRequest, found: Sequence[RateStatus]) -> None:
    """Remember counts on the Django request, where the middleware finds them whatever becomes of the view."""
    noted: list[RateStatus] = getattr(request, "rate_limits", [])
    request.rate_limits = [*noted, *found]  # type: ignore[attr-defined]


def headers(request: HttpRequest) -> dict[str, str]:
    """`RateLimit-Policy` and `RateLimit` as lists of structured fields (draft-ietf-httpapi-ratelimit-headers).

    q: quota, w: window in seconds; r: requests left, t: seconds until the whole quota is free again. Empty where
    nothing was counted.
    """
    counted: list[RateStatus] = getattr(request, "rate_limits", [])
    if not counted:
        return {}
    return {
        "RateLimit-Policy": ", ".join(f'"{each.scope}";q={each.rate.quota};w={each.rate.window}' for each in counted),
        "RateLimit": ", ".join(f'"{each.scope}";r={each.remaining};t={each.full_after}' for each in counted),
    }
