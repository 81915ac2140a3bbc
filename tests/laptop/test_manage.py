"""`manage.py` for a developer: it asks which database is meant, and its runserver delivers mail."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from config.env import ROOT
from tests.live import database
from tests.operations.installation import NO_TLS, until
from tests.servers import bare_environment, free_port


@pytest.mark.parametrize("command", ["check_invariants", "mail status", "prune"])
def test_who_asks_about_a_database_that_nobody_named_is_asked_which(command: str, tmp_path: Path) -> None:
    words = [sys.executable, "manage.py", *command.split()]
    environment = bare_environment(LOCAL_DATA=str(tmp_path / "data"))
    ended = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)

    assert (ended.returncode, ended.stdout, (tmp_path / "data").exists()) == (1, "", False)
    assert ended.stderr == (
        "Which database? Name it by DATABASE_URL; this checkout has none yet (`make run` makes one).\n"
    )


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    with database() as url:
        yield bare_environment(
            LOCAL_DATA=str(tmp_path), DATABASE_URL=url, REDIS_URL=os.environ["REDIS_URL"], DEBUG="true",
            INBOX_PORT=str(free_port()),
        )  # fmt: skip


def test_runserver_delivers_and_says_where_the_mails_are(environment: dict[str, str], tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "log"
    words = [sys.executable, "manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"]
    api = f"http://127.0.0.1:{port}"
    subprocess.run([*words[:2], "migrate", "-v", "0"], cwd=ROOT, env=environment, check=True)
    with log.open("wb") as out:
        server = subprocess.Popen(words, cwd=ROOT, env=environment, stdout=out, stderr=out, start_new_session=True)
    try:
        until(lambda: answers(f"{api}/health/live/"))
        inbox = re.search(r"Every mail lies at (http://127\.0\.0\.1:[0-9]+)/", log.read_text())
        assert inbox, log.read_text()
        account = {"username": "zoe", "email": "zoe@example.org", "password": "correct horse battery 9"}
        assert httpx.post(f"{api}/users/register/", json=account, timeout=30, verify=NO_TLS).status_code == 201
        until(lambda: answers(f"{inbox[1]}/api/healthz"))
        until(lambda: mails(inbox[1]))

        assert api in mails(inbox[1])[0]["text"]
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(timeout=30)
    assert not answers(f"{inbox[1]}/api/healthz")


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5, verify=NO_TLS).status_code == 200
    except httpx.HTTPError:
        return False


def mails(inbox: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = httpx.get(f"{inbox}/api/email", timeout=10, verify=NO_TLS).json()
    return found
