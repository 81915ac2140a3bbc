"""Reads the environment; every problem is collected, so that one start names all that is missing at once."""

import os
import re
import sys
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from environs import Env, EnvValidationError, ValidationError
from psycopg.conninfo import conninfo_to_dict

PLACEHOLDER = re.compile("change.?me|development-|django-insecure|placeholder", re.IGNORECASE)
LOOPBACK: list[Any] = [ip_network(text) for text in ("127.0.0.0/8", "::1/128", "0.0.0.0/8", "::/128", "::ffff:0:0/96")]
Network = IPv4Network | IPv6Network
ROOT = Path(__file__).resolve().parent.parent


class Reader(Env):
    """Typed access to the environment. An empty variable counts as unset: Compose passes `DEBUG=` for no value."""

    def __init__(self) -> None:
        super().__init__(eager=False)

    def _get_value(self, env_key: str, default: Any) -> Any:
        return os.environ.get(env_key) or default

    def finish(self) -> None:
        """End the reading; exit with one line for each variable that is missing or wrong."""
        try:
            self.seal()
        except EnvValidationError as error:
            found: Any = error.error_messages
            problems = "\n".join(f"  {name}: {' '.join(map(str, why))}" for name, why in sorted(found.items()))
            sys.exit(f"Cannot start: these environment variables are missing or wrong.\n{problems}")


def read_dotenv() -> None:
    """Put the variables of `.env` (or of the file that ENV_FILE names) into the environment; what is set there wins."""
    path = Path(os.environ.get("ENV_FILE") or ROOT / ".env")
    if path.is_file():
        for name, value in dotenv_values(path).items():
            if value and not os.environ.get(name):
                os.environ[name] = value


def assume_development() -> None:
    """Let a person at a terminal work with nothing set. A process of the Procfile never calls this."""
    read_dotenv()
    if not os.environ.get("DEBUG"):
        os.environ["DEBUG"] = "true"


def at_least(characters: int) -> Any:
    """A validator for secrets: RFC 7518 section 3.2 wants a key no shorter than the hash output."""

    def validate(value: str) -> None:
        if len(value) < characters:
            raise ValidationError(f"Must have at least {characters} characters.")

    return validate


def secret(characters: int) -> Any:
    """A validator for keys: long enough, and neither a placeholder nor a pattern that somebody typed.

    A key of 32 random hexadecimal digits has eight different ones with all but certainty.
    """
    long_enough = at_least(characters)

    def validate(value: str) -> None:
        long_enough(value)
        if len(set(value)) < 8 or PLACEHOLDER.search(value):
            raise ValidationError("Must be random, such as `openssl rand -hex 32` prints.")

    return validate


def ticket_keys(*, random: bool) -> Any:
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


def port(value: int) -> None:
    """A validator for TCP ports."""
    if not 1 <= value <= 65535:
        raise ValidationError("Must be a port, 1 to 65535.")


def networks(*, loopback: bool) -> Any:
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


def positive(value: int) -> None:
    """A validator for a number of things of which there must be one."""
    if value < 1:
        raise ValidationError("Must be 1 or more.")


def postgres(url: str) -> dict[str, Any]:
    """Translate a libpq URL into Django's database settings."""
    parts: dict[str, Any] = dict(conninfo_to_dict(url)) if url else {}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.pop("dbname", ""),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": parts.pop("port", ""),
        "OPTIONS": parts,
    }
