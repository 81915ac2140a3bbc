"""Reads the environment; every problem is collected, so that one start names all that is missing at once.

No value is ever shown: each may hold a secret, and one that is wrong most of all.
"""

import os
import sys
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from environs import EnvValidationError, FileAwareEnv
from psycopg.conninfo import conninfo_to_dict

ROOT = Path(__file__).resolve().parent.parent


class Reader(FileAwareEnv):
    """Typed access to the environment. An empty variable counts as unset: Compose passes `DEBUG=` for no value.

    `NAME_FILE` names a file that holds the value of `NAME`, as secrets are handed to containers.
    """

    def __init__(self) -> None:
        super().__init__(eager=False, strip_whitespace=True)

    def _get_value(self, env_key: str, default: Any) -> Any:
        try:
            return super()._get_value(env_key, default) or default
        except (ValueError, OSError):  # no text in UTF-8, or not ours to read
            self._errors[env_key].append(f"{env_key}{self.file_suffix} must name a file that can be read.")
            return default

    def refuse(self, variable: str, sentence: str) -> None:
        """Say what is wrong with a variable beside others."""
        self._errors[variable].append(sentence)

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
    try:
        values = dotenv_values(path) if path.is_file() else {}
    except (OSError, UnicodeDecodeError):
        sys.exit(f"Cannot start: {path} cannot be read.")
    for name, value in values.items():
        if value and not os.environ.get(name):
            os.environ[name] = value


def assume_development() -> None:
    """Let a person at a terminal work with nothing set. A process of the Procfile never calls this."""
    read_dotenv()
    if not os.environ.get("DEBUG"):
        os.environ["DEBUG"] = "true"


def postgres(url: str, *, password: str = "") -> dict[str, Any]:
    """Translate a libpq URL into Django's database settings; `password` stands in where the URL has none."""
    parts: dict[str, Any] = dict(conninfo_to_dict(url)) if url else {}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.pop("dbname", ""),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", "") or password,
        "HOST": parts.pop("host", ""),
        "PORT": parts.pop("port", ""),
        "OPTIONS": parts,
    }
