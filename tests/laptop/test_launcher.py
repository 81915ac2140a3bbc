"""What the launcher decides before anything is started."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from config.env import ROOT
from jointoit.process.ports import why_not
from laptop import maildev
from laptop.launcher import Plan, address, free_port, read_plan, screen
from tests.servers import bare_environment


@pytest.fixture
def busy() -> Iterator[list[int]]:
    """Ports on which somebody listens."""
    with ExitStack() as stack:
        yield [stack.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1] for _ in range(2)]


def launch(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = bare_environment(LOCAL_DATA=str(folder), **variables)
    words = [sys.executable, "-m", "laptop.launcher"]
    return subprocess.run(words, cwd=ROOT, env=environment, check=False, capture_output=True, text=True, timeout=60)


def test_busy_ports_are_named_before_anything_is_started(busy: list[int], tmp_path: Path) -> None:
    ended = launch(tmp_path / "data", PORT=str(busy[0]), INBOX_PORT=str(busy[1]))

    assert (ended.returncode, ended.stdout, ended.stderr.splitlines(), (tmp_path / "data").exists()) == (
        1,
        "",
        [
            f"Port {busy[0]} is in use by another program: stop it, or choose another port with PORT=.",
            f"Port {busy[1]} is in use by another program: stop it, or choose another port with INBOX_PORT=.",
        ],
        False,
    )


def test_a_port_that_is_no_port_is_named(tmp_path: Path) -> None:
    ended = launch(tmp_path, PORT="80a", INBOX_PORT="70000")

    assert ended.stderr.splitlines()[1:] == [
        "  INBOX_PORT: Must be a port, 1 to 65535.",
        "  PORT: Not a valid integer.",
    ]


def test_one_port_cannot_serve_two(monkeypatch: pytest.MonkeyPatch) -> None:
    number = str(free_port("127.0.0.1", 0))
    monkeypatch.setenv("PORT", number)
    monkeypatch.setenv("INBOX_PORT", number)

    with pytest.raises(SystemExit, match=f"PORT and INBOX_PORT are both {number}: choose two"):
        read_plan()


def test_a_busy_mail_port_is_replaced_by_a_free_one(busy: list[int]) -> None:
    found = free_port("127.0.0.1", busy[0])

    assert (found != busy[0], why_not("EMAIL_PORT", "127.0.0.1", found)) == (True, "")


def test_a_mail_server_of_ones_own_needs_no_inbox(monkeypatch: pytest.MonkeyPatch, busy: list[int]) -> None:
    monkeypatch.setenv("EMAIL_HOST", "mail.example.org")
    monkeypatch.setenv("PORT", str(free_port("127.0.0.1", 0)))
    monkeypatch.setenv("INBOX_PORT", str(busy[0]))

    assert read_plan().inbox_port is None


def test_an_address_of_another_machine_is_refused() -> None:
    assert why_not("PORT", "192.0.2.1", 8000).startswith("Nothing can listen on 192.0.2.1, port 8000")


@pytest.mark.parametrize(
    ("host", "reached"),
    [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("::1", "[::1]"), ("laptop", "laptop")],
)
def test_the_screen_names_an_address_that_a_browser_reaches(host: str, reached: str) -> None:
    assert address(host) == reached


def test_the_screen_says_where_to_go() -> None:
    shown = screen(Plan("127.0.0.1", 9000, 1099, 1025), "MailDev")

    assert [line for line in shown.splitlines() if "://" in line] == [
        "  API         http://127.0.0.1:9000/",
        "  Docs        http://127.0.0.1:9000/api/docs/    ReDoc: http://127.0.0.1:9000/api/redoc/",
        "  Mail inbox  http://127.0.0.1:1099/",
        "  Admin       http://127.0.0.1:9000/admin/    its first user: make superuser",
    ]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (None, "Node.js and npm are not installed"),
        ("v18.20.1", "Node.js is older than 20 (v18.20.1)"),
        ("", "Node.js is older than 20 (unknown version)"),
    ],
)
def test_without_a_node_that_can_run_it_python_stands_in_for_maildev(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: str | None, reason: str
) -> None:
    for name in ("node", "npm") if said is not None else ():
        (tmp_path / name).write_text(f"#!/bin/sh\necho {said}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    name, command = maildev.command(host="127.0.0.1", smtp_port=1025, web_port=1080, mails=tmp_path / "mails")

    assert (name, command[:3]) == (
        f"{reason}, so a plain Python inbox stands in for MailDev",
        [sys.executable, "-m", "laptop.inbox"],
    )


def test_the_lock_of_the_inbox_names_no_address() -> None:
    assert "://" not in (ROOT / "package-lock.json").read_text()
