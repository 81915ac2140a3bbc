"""What a variable of the environment may be. A wrong one raises ValidationError; its sentence never shows the value."""

import logging
import re
from collections.abc import Callable
from email.utils import parseaddr
from ipaddress import ip_network
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

from environs import ValidationError
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from jointoit.api.throttling import rates

LOOPBACK: Final = [ip_network(text) for text in ("127.0.0.0/8", "::1/128", "0.0.0.0/8", "::/128", "::ffff:0:0/96")]
PLACEHOLDER: Final = re.compile("change.?me|development-|django-insecure|placeholder", re.IGNORECASE)
HOST: Final = re.compile(
    r"\*|\.?[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?\.?|\[[0-9A-Fa-f:.]+\]|[0-9A-Fa-f:.]+", re.ASCII
)
MAIL_RATE: Final = re.compile(r"off|[1-9][0-9]*(\.[0-9]+)?|0\.0*[1-9][0-9]*", re.ASCII)
QUOTED: Final = "In a password, / is written %2F, @ %40 and % %25."
YEAR: Final = 24 * 366  # hours

# ── Secrets ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def at_least(characters: int) -> Callable[[str], None]:
    """A validator for secrets: RFC 7518 section 3.2 wants a key no shorter than the hash output."""

    def validate(value: str) -> None:
        if len(value) < characters:
            raise ValidationError(f"Must have at least {characters} characters.")

    return validate


def secret(characters: int) -> Callable[[str], None]:
    """A validator for keys: long enough, and neither a placeholder nor a pattern that somebody typed.

    A key of 32 random hexadecimal digits has eight different ones with all but certainty.
    """
    long_enough = at_least(characters)

    def validate(value: str) -> None:
        long_enough(value)
        if len(set(value)) < 8 or PLACEHOLDER.search(value):
            raise ValidationError("Must be random, such as `openssl rand -hex 32` prints.")

    return validate


def each(validate: Callable[[str], None]) -> Callable[[list[str]], None]:
    """A validator for lists."""

    def validate_all(values: list[str]) -> None:
        for value in values:
            validate(value)

    return validate_all


def is_published(key: str) -> bool:
    """Whether everybody can read this key, in compose.yaml."""
    return "only-for-the-compose-stack" in key


# ── Numbers ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def port(value: int) -> None:
    """TCP ports."""
    if not 1 <= value <= 65535:
        raise ValidationError("Must be a port, 1 to 65535.")


def port_or_none(value: int) -> None:
    """0 is no port."""
    if value:
        port(value)


def positive(value: float) -> None:
    """A number of things of which there must be one."""
    if value < 1:
        raise ValidationError("Must be 1 or more.")


def not_negative(value: float) -> None:
    if value < 0:
        raise ValidationError("Must be 0 or more.")


def above_zero(value: float) -> None:
    if value <= 0:
        raise ValidationError("Must be more than 0.")


def hours(value: float) -> None:
    if not 0 < value <= YEAR:
        raise ValidationError(f"Must be a number of hours, more than 0 and at most {YEAR}.")


def days_or_off(value: str) -> None:
    """A week at least: until then mails about the event may still be on their way."""
    if value != "off" and not (re.fullmatch("[0-9]{1,5}", value, re.ASCII) and int(value) >= 7):
        raise ValidationError("Must be a number of days, 7 or more, or off.")


# ── Addresses ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def split(url: str) -> SplitResult | None:
    """The parts of a URL; None where it has none that can be told apart."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  raises where it is no number
    except ValueError:
        return None
    return parts


def web_address(value: str) -> None:
    """The beginning of links."""
    parts = split(value)
    if parts and parts.scheme in ("http", "https") and parts.hostname and not re.search(r"[\s?#@]", value):
        return
    raise ValidationError("Must be an address such as https://api.example.org, with http:// or https:// before it.")


def is_local(address: str) -> bool:
    """Whether only this machine is reached by an address."""
    parts = split(address)
    return parts is not None and parts.hostname in ("127.0.0.1", "localhost", "::1")


def origins(values: list[str]) -> None:
    """RFC 6454: scheme, host and port."""
    for value in values:
        parts = split(value)
        if not parts or parts.scheme not in ("http", "https") or value != f"{parts.scheme}://{parts.netloc}":
            raise ValidationError("Must be origins such as https://app.example.org, comma-separated, without paths.")


def hosts(values: list[str]) -> None:
    if not all(HOST.fullmatch(value) for value in values):
        raise ValidationError("Must be names such as api.example.org, comma-separated, without https:// and paths.")


def host(value: str) -> None:
    """A machine: a name, an IPv4 or IPv6 address."""
    if value == "*" or not HOST.fullmatch(value):
        raise ValidationError("Must be the name or the address of a machine, without a port or anything before it.")


def email(value: str) -> None:
    """`events@example.org` or `Jointoit <events@example.org>`."""
    _, address = parseaddr(value)
    local, _, domain = address.rpartition("@")
    if not (local and HOST.fullmatch(domain)) or re.search(r"[\r\n]", value):
        raise ValidationError("Must be a mail address such as events@example.org or Jointoit <events@example.org>.")


def database_url(value: str) -> None:
    """What libpq takes, with the name of a database. Its own errors repeat the value with the password in it."""
    try:
        known = conninfo_to_dict(value)
    except ProgrammingError:
        known = {}
    name, where = str(known.get("dbname", "")), str(known.get("host", ""))
    if not name or "@" in name + where or not re.fullmatch("[0-9,]*", str(known.get("port", "")), re.ASCII):
        raise ValidationError(f"Must be an address such as postgresql://user:password@host:5432/name. {QUOTED}")


def redis_url(value: str) -> None:
    parts = split(value)
    if not parts or parts.scheme not in ("redis", "rediss") or not parts.hostname:
        raise ValidationError(f"Must be an address such as redis://:password@host:6379/0. {QUOTED}")
    if not re.fullmatch(r"/?[0-9]*", parts.path, re.ASCII):
        raise ValidationError("Must name its database by a number, such as redis://host:6379/0.")


# ── The rest ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def rate(value: str) -> None:
    try:
        rates.parse(value)
    except ValueError:
        raise ValidationError("Must be a rate such as 120/min, 10/s or 20/hour, or off.") from None


def mail_rate(value: str) -> None:
    if not MAIL_RATE.fullmatch(value):
        raise ValidationError("Must be mails a second, such as 10 or 0.5, or off.")


def log_level(value: str) -> None:
    if value.upper() not in logging.getLevelNamesMapping():
        raise ValidationError("Must be DEBUG, INFO, WARNING, ERROR or CRITICAL.")


def file_to_mark(value: str) -> None:
    """A file that need not exist in a folder that must."""
    if not Path(value).parent.is_dir():
        raise ValidationError("Must be a file in a folder that exists.")


def ticket_keys(*, random: bool) -> Callable[[list[str]], None]:
    """A validator for the keys of tickets: at least one, each 32 octets in hexadecimal digits, no two alike."""
    good = secret(64) if random else at_least(64)

    def validate(values: list[str]) -> None:
        for value in values:
            good(value)
        if not values or any(not re.fullmatch("[0-9a-f]{64}", value) for value in values):
            raise ValidationError("Each must be 64 hexadecimal digits, such as `openssl rand -hex 32` prints.")
        if len(set(values)) < len(values):
            raise ValidationError("No key must be there twice.")

    return validate


def networks(*, loopback: bool) -> Callable[[list[str]], None]:
    """A validator for networks in CIDR notation; whether this machine itself may be among them."""

    def validate(values: list[str]) -> None:
        for value in values:
            try:
                network = ip_network(value)
            except ValueError:
                raise ValidationError("Must be networks, such as 10.1.0.0/16, with commas between them.") from None
            if not loopback and any(network.version == own.version and network.overlaps(own) for own in LOOPBACK):
                raise ValidationError("Must not hold the addresses of this machine itself.")

    return validate
