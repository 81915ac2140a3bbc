"""Where a message may go: to public addresses alone, each looked up for the attempt that then connects to it.

The address that was looked at is the address that is connected to; a name is never looked up a second time. What
`ipaddress` of Python 3.11 takes for global and is not a machine of its own on the Internet is named here.
"""

import ipaddress
import re
import socket
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import idna
from django.conf import settings

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
UNICAST6: Final = ipaddress.ip_network("2000::/3")
#: Protocol assignments (Teredo among them), documentation, 6to4: they lead to other machines than they name.
NOT_A_MACHINE: Final = tuple(
    ipaddress.ip_network(text)
    for text in ("192.88.99.0/24", "224.0.0.0/4", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)
LABEL: Final = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?"
# Each dot is looked for once: what may be split in more than one way is split in all of them before it is refused.
NAME: Final = re.compile(rf"(?=.{{1,253}}\Z){LABEL}(?:\.{LABEL})*", re.ASCII)
PRINTABLE: Final = re.compile("[!-~]+")
DEFAULT_PORTS: Final = {"https": 443, "http": 80}


class NotAllowed(ValueError):
    """Says in a sentence why nothing is sent there; never what a name led to."""


@dataclass(frozen=True)
class Target:
    """An URL in its parts. `host` is what a certificate and the Host header name."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path}"


def read(url: str) -> Target:
    """The parts of an URL that may be kept. Raises NotAllowed; looks nothing up."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise NotAllowed("This must be an address, such as https://example.org/hooks.") from None
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or port == 0:
        raise NotAllowed("This must be an address, such as https://example.org/hooks.")
    if parts.scheme == "http" and not settings.WEBHOOK_TRUSTED_NETWORKS:
        raise NotAllowed("This must begin with https://.")
    if "@" in parts.netloc or parts.fragment:
        raise NotAllowed("An address has neither a name and password nor a fragment.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not PRINTABLE.fullmatch(path):
        raise NotAllowed("Path and query are ASCII, everything else is percent-encoded.")
    target = Target(parts.scheme, host_of(parts.hostname), port or DEFAULT_PORTS[parts.scheme], path)
    if number := as_number(target.host):
        check([number], target)
    return target


def host_of(name: str) -> str:
    """A name as the DNS has it (IDNA 2008), without the dot at its end; or an address. Raises NotAllowed."""
    if ":" in name:
        if "%" in name or not is_address(name):
            raise NotAllowed("This is no address of a machine on the Internet.")
        return name
    try:
        name = idna.encode(name, uts46=True).decode("ascii") if not name.isascii() else name
    except UnicodeError:
        raise NotAllowed("This is no name of a machine.") from None
    name = name.removesuffix(".")
    if not NAME.fullmatch(name):
        raise NotAllowed("This is no name of a machine.")
    return name


def is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def as_number(host: str) -> Address | None:
    """The address where a host is one, in decimal, hexadecimal, octal or shortened as well; no name is looked up."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except OSError:
        return None
    return ipaddress.ip_address(found[0][4][0])


def look_up(target: Target) -> list[Address]:
    """All addresses of the host, each of which may be connected to. Raises NotAllowed, OSError."""
    found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    addresses = [ipaddress.ip_address(place[0]) for *_, place in found]
    check(addresses, target)
    return list(dict.fromkeys(addresses))


def check(addresses: list[Address], target: Target) -> None:
    """Raises NotAllowed unless all of them are public, or in a network that the deployment trusts."""
    if all(is_trusted(address) for address in addresses):
        return
    if target.scheme != "https":
        raise NotAllowed("Only https:// leads out of the networks that are trusted here.")
    if not all(is_public(address) or is_trusted(address) for address in addresses):
        raise NotAllowed("Its address is not public.")


def is_public(address: Address) -> bool:
    address = getattr(address, "ipv4_mapped", None) or address
    if any(address in network for network in NOT_A_MACHINE):
        return False
    return address.is_global and (address.version == 4 or address in UNICAST6)


def is_trusted(address: Address) -> bool:
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in network for network in settings.WEBHOOK_TRUSTED_NETWORKS)
