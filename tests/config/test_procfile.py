"""Each line of the Procfile as a platform would run it: real processes, nothing assumed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.env import ROOT
from tests.servers import bare_environment

LINES = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
REQUIRED = [
    "ALLOWED_HOSTS", "DATABASE_URL", "DEFAULT_FROM_EMAIL", "EMAIL_HOST", "JWT_SIGNING_KEY", "PUBLIC_URL", "REDIS_URL",
    "SECRET_KEY", "TICKET_KEYS",
]  # fmt: skip


def run(command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        command.split(), env=bare_environment(PATH=path, **variables), cwd=ROOT,
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def named(said: str) -> list[str]:
    return [line.strip().split(":")[0] for line in said.splitlines() if line.startswith("  ")]


def test_the_procfile_names_the_processes() -> None:
    assert LINES == {
        "release": "python -m jointoit release",
        "web": "python -m jointoit serve",
        "worker": "python -m jointoit work",
        "sweeper": "python -m jointoit sweep",
    }


@pytest.mark.parametrize("command", [*LINES.values(), "celery -A config worker"])
def test_with_nothing_set_a_process_names_all_that_is_missing(command: str) -> None:
    ended = run(command)

    assert (ended.returncode, ended.stdout, named(ended.stderr)) == (1, "", REQUIRED)


def test_a_server_started_by_hand_refuses_as_well() -> None:
    ended = run("granian --interface rsgi --port 0 --workers-kill-timeout 5 config.rsgi:application")

    assert (ended.returncode, named(ended.stderr)) == (1, REQUIRED)


def test_empty_and_wrong_values_are_named_too() -> None:
    ended = run(LINES["web"], DEBUG="", SECRET_KEY="short", PORT="http", WEB_THREADS="0")

    assert named(ended.stderr) == sorted([*REQUIRED, "PORT", "WEB_THREADS"])
