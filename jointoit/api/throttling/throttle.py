"""Rates per caller: who is asking, which scopes count the request, and what the answer says of it.

Signed-in callers are counted by their id (`user`), others by their address (`anon`); a view with a `throttle_scope`
(login, signup, reset, register) is counted in that one besides. The rates are `settings.RATES`.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from jointoit.api.throttling import buckets, rates
from jointoit.api.throttling.buckets import Claim
from jointoit.api.throttling.rates import Spent

if TYPE_CHECKING:  # REST framework's views import this module through the settings
    from rest_framework.views import APIView

#: Without Redis these two are counted in each process. Every other scope guards against guessing, spam or grabbing: it
#: is counted in PostgreSQL then, and never let through uncounted.
GENERAL = frozenset({"anon", "user"})


def consume(scope: str, identity: str, now: datetime) -> Spent | None:
    """Count one request of `identity` in `scope`; None when the scope is off.

    Call it outside of a transaction: without Redis the count is a row, which must not wait for a commit. Raises
    django.db.Error when a sensitive scope can be counted nowhere (503, not open).
    """
    said = buckets.spend(claims([(scope, identity)]), rates.microseconds(now))
    return said[0] if said else None


def claims(wanted: Iterable[tuple[str, str]]) -> list[Claim]:
    """One for each scope that is on, with who is counted in it."""
    return [
        Claim(scope, buckets.key_of(scope, identity), rate, sensitive=scope not in GENERAL)
        for scope, identity in wanted
        if (rate := rates.rate_of(scope))
    ]


def demand(request: Request, scope: str, identity: str, now: datetime) -> None:
    """Count one request and note it for the headers. Raises Throttled when there is nothing left."""
    spent = consume(scope, identity, now)
    note(request, [spent] if spent else [])
    if spent and not spent.allowed:
        raise Throttled(wait=spent.retry_after)


class RateThrottle(BaseThrottle):
    def allow_request(self, request: Request, view: "APIView") -> bool:
        """Count the request in each of its scopes until one refuses."""
        said = buckets.spend(claims(scopes(request, view)), rates.microseconds(timezone.now()))
        note(request, said)
        self.refusal = said[-1] if said and not said[-1].allowed else None
        return self.refusal is None

    def wait(self) -> int | None:
        return max(1, self.refusal.retry_after) if self.refusal else None


def scopes(request: Request, view: "APIView") -> Iterator[tuple[str, str]]:
    """Each scope that counts this request, with who is counted."""
    if request.user.is_authenticated:
        general, identity = "user", f"user:{request.user.pk}"
    else:
        general, identity = "anon", f"address:{client_address(request._request)}"
    yield general, identity
    if scope := getattr(view, "throttle_scope", None):
        yield scope, identity


# ── Headers ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def note(request: Request, said: Sequence[Spent]) -> None:
    """Remember counts on the Django request, where the middleware finds them whatever becomes of the view."""
    noted: list[Spent] = getattr(request._request, "rate_limits", [])
    request._request.rate_limits = [*noted, *said]  # type: ignore[attr-defined]


def headers(request: HttpRequest) -> dict[str, str]:
    """`RateLimit-Policy` and `RateLimit` as lists of structured fields (draft-ietf-httpapi-ratelimit-headers).

    q: quota, w: window in seconds; r: requests left, t: seconds until the whole quota is free again. Empty where
    nothing was counted.
    """
    counted: list[Spent] = getattr(request, "rate_limits", [])
    if not counted:
        return {}
    return {
        "RateLimit-Policy": ", ".join(f'"{each.scope}";q={each.rate.quota};w={each.rate.window}' for each in counted),
        "RateLimit": ", ".join(f'"{each.scope}";r={each.remaining};t={each.full_after}' for each in counted),
    }


# ── Client address ────────────────────────────────────────────────────────────────────────────────────────────────────


def client_address(request: HttpRequest) -> str:
    """The address that counts, IPv6 by its /64, which is what one customer gets (RFC 6177).

    Each of the `TRUSTED_PROXIES` adds one value at the right of X-Forwarded-For; what stands further left is anybody's
    claim. Whatever is no address there leaves the one of the connection.
    """
    peer = request.META.get("REMOTE_ADDR", "")
    hops = settings.TRUSTED_PROXIES
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    claimed = forwarded[-hops].strip() if 0 < hops <= len(forwarded) else peer
    return normal(claimed) or normal(peer) or "unknown"


@lru_cache(maxsize=10_000)
def normal(text: str) -> str | None:
    """An address in its one spelling; None for what is none."""
    try:
        address: IPv4Address | IPv6Address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(IPv6Network((int(address), 64), strict=False).network_address)
