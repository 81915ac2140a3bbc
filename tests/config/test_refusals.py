"""A wrong variable is one sentence that names it, all of them at once; no value is shown, for each may be a secret."""

import subprocess
import sys

import pytest

from config.env import ROOT
from tests.servers import bare_environment

RANDOM = "4f1d0c7a9b2e83d65a7c1f0e9d8b3a6275c4e1f0a9b8d7c6"
PRODUCTION = {
    "SECRET_KEY": f"{RANDOM}-one", "JWT_SIGNING_KEY": f"{RANDOM}-two", "TICKET_KEYS": f"{RANDOM}{RANDOM}"[:64],
    "ALLOWED_HOSTS": "api.example.org",
    "PUBLIC_URL": "https://api.example.org", "DATABASE_URL": "postgresql://me:SENT@127.0.0.1:1/events",
    "REDIS_URL": "redis://127.0.0.1:1/0", "EMAIL_HOST": "mail.example.org", "DEFAULT_FROM_EMAIL": "us@example.org",
}  # fmt: skip
PUBLISHED = "only-for-the-compose-stack-on-this-machine-signs-cookies-and-links"
WRONG = {
    "DATABASE_URL": ["mysql://user:SENT@host/d", "postgresql://user:SENT@host", "postgresql://u:SE/NT@host/d"],
    "DEFAULT_FROM_EMAIL": ["SENT is no address", "SENT@"],
    "REDIS_URL": ["SENT:6379", "redis://", "redis://host:port/0", "redis://host/SENT"],
    "TRUSTED_PROXIES": ["-3", "SENT"],
    "PUBLIC_URL": ["SENT", "ftp://SENT"],
    "FRONTEND_URL": ["SENT"],
    "REMINDER_HOURS": ["-5", "0", "SENT"],
    "RETENTION_DAYS": ["6", "-30", "SENT"],
    "DATABASE_POOL": ["-1"],
    "LOG_LEVEL": ["SENT"],
    "ALLOWED_HOSTS": ["https://SENT.example.org"],
    "CORS_ALLOWED_ORIGINS": ["SENT"],
    "EMAIL_HOST": ["smtp://SENT"],
    "MAIL_RATE": ["SENT", "0"],
    "RATE_LOGIN": ["SENT"],
    "PORT": ["0", "65536", "SENT"],
    "WEB_THREADS": ["0"],
    "METRICS_TOKEN": ["SENT"],
    "METRICS_PORT": ["9100"],  # without METRICS_TOKEN
    "JWT_OLD_SIGNING_KEYS": ["SENT", "changeme"],
    "OLD_SECRET_KEYS": ["SENT"],
    "SECRET_KEY": ["SENT", PUBLISHED, "a" * 50, "change-me-" + RANDOM],
    "JWT_SIGNING_KEY": ["SENT"],
}
ROUNDS = [
    {name: values[number] for name, values in WRONG.items() if number < len(values)}
    for number in range(max(map(len, WRONG.values())))
]


def run(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "jointoit", *words], env=bare_environment(**PRODUCTION | variables), cwd=ROOT,
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize("values", ROUNDS, ids=str)
def test_each_wrong_variable_is_one_sentence_without_its_value(values: dict[str, str]) -> None:
    ended = run("serve", **values)
    lines = [line.strip().partition(": ") for line in ended.stderr.splitlines()[1:]]

    assert (ended.returncode, [name for name, _, _ in lines]) == (1, sorted(values))
    assert all(sentence.endswith((".", "@ %40 and % %25.")) for _, _, sentence in lines)
    assert "SENT" not in ended.stderr + ended.stdout


def test_good_values_are_taken() -> None:
    ended = run(
        "check", LOG_LEVEL="debug", METRICS_TOKEN=RANDOM, METRICS_PORT="9100", JWT_OLD_SIGNING_KEYS=f"{RANDOM}-three",
        DEFAULT_FROM_EMAIL="Jointoit <us@example.org>", FRONTEND_URL="https://app.example.org",
    )  # fmt: skip

    assert (ended.returncode, ended.stderr) == (0, "")


def test_one_key_may_not_open_all_doors() -> None:
    ended = run("serve", JWT_SIGNING_KEY=PRODUCTION["SECRET_KEY"])

    assert (ended.returncode, ended.stderr.splitlines()[1:]) == (
        1, ["  JWT_SIGNING_KEY: Must be another key than SECRET_KEY: one that leaks is not to open all doors."],
    )  # fmt: skip


def test_the_published_keys_serve_on_this_machine_alone() -> None:
    ended = run("check", SECRET_KEY=PUBLISHED, PUBLIC_URL="http://127.0.0.1:8000")

    assert ended.returncode == 0


def test_a_key_in_a_file_is_taken_and_one_that_cannot_be_read_is_named() -> None:
    ended = run("serve", METRICS_TOKEN_FILE="/nonexistent/SENT")

    assert ended.stderr.splitlines()[1:] == ["  METRICS_TOKEN: METRICS_TOKEN_FILE must name a file that can be read."]


@pytest.mark.parametrize("command", ["check_invariants", "mail status", "release"])
def test_a_database_that_is_not_there_is_one_sentence(command: str) -> None:
    ended = run(*command.split())

    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert ended.stderr.startswith("The database does not serve us (see DATABASE_URL): ")
    assert "SENT" not in ended.stderr + ended.stdout
