"""From which address a request comes, behind a known number of proxies."""

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

from django.conf import settings
from django.http import HttpRequest

WITH_PORT: Final = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?|([0-9.]+):[0-9]{1,5}", re.ASCII)


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
    """An address in its one spelling, without the port that some proxies write; None for what is none."""
    if with_port := WITH_PORT.fullmatch(text):
        text = with_port[1] or with_port[2]
    try:
        address: IPv4Address | IPv6Address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(IPv6Network((int(address), 64), strict=False).network_address)
