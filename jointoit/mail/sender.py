"""Who writes: the name, address and domain that mails go out under."""

from email.headerregistry import Address
from email.utils import parseaddr
from functools import lru_cache

from django.conf import settings
from django.utils.encoding import punycode


def sender() -> Address:
    """DEFAULT_FROM_EMAIL in its parts. Raises ValueError where it is no address."""
    return parsed(settings.DEFAULT_FROM_EMAIL)


def domain() -> str:
    """The right side of Message-IDs, calendar UIDs and List-Ids: the domain of the sender, in ASCII."""
    return sender().domain


@lru_cache
def parsed(text: str) -> Address:
    name, address = parseaddr(text)
    local, _, host = address.rpartition("@")
    return Address(name, local, punycode(host))
