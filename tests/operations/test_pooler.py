"""The service behind PgBouncer in transaction mode, with fewer connections than it has threads."""

import os
import pwd
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import psycopg
import pytest

from config.env import ROOT
from config.settings import SESSION
from laptop import maildev
from tests.operations.crowd import Crowd, register
from tests.operations.installation import NO_TLS, PATIENCE, Installation, until
from tests.servers import free_port

CONNECTIONS = 4  # to PostgreSQL; the web server alone has eight threads
CONFIGURATION = """
[databases]
jointoit = host={socket} port=5432 user=postgres dbname=jointoit
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {size}
max_client_conn = 500
logfile = {folder}/pgbouncer.log
"""


def said_in_the_document() -> str:
    """What docs/operations.md tells an operator to give to the role, here with the role of the tests."""
    block = re.search(r"```sql\n(.*?)```", (ROOT / "docs" / "operations.md").read_text(), re.DOTALL)
    assert block
    return block[1].replace("ROLE jointoit", "ROLE postgres")


def forgotten() -> str:
    return "".join(f"ALTER ROLE postgres RESET {name};" for name in SESSION)


@pytest.fixture
def pooled(installation: Installation) -> Iterator[dict[str, str]]:
    """The variables with which a process goes through PgBouncer."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program, "make operations needs PgBouncer; on Debian and Ubuntu: apt install pgbouncer"
    folder, port = installation.folder / "pooler", free_port()
    folder.mkdir(exist_ok=True)
    (socket,) = parse_qs(urlsplit(installation.database).query)["host"]
    owner = pwd.getpwuid((installation.folder / "pg").stat().st_uid).pw_name
    shutil.chown(folder, owner)
    file = folder / "pgbouncer.ini"
    file.write_text(CONFIGURATION.format(socket=socket, port=port, size=CONNECTIONS, folder=folder))
    installation.query(said_in_the_document())
    words = [program, str(file), *(["--user", owner] if os.geteuid() == 0 else [])]
    installation.run("pooler", words, folder)
    url = f"postgresql://postgres@127.0.0.1:{port}/jointoit"
    until(lambda: can_connect(url))
    yield {"DATABASE_URL": url, "DATABASE_POOLER": "true"}
    installation.query(forgotten())


def can_connect(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def test_the_main_round_passes(installation: Installation, pooled: dict[str, str]) -> None:
    smtp, web = free_port(), free_port()
    _, inbox = maildev.command(host="127.0.0.1", smtp_port=smtp, web_port=web, mails=installation.folder / "mails")
    installation.run("inbox", inbox, ROOT)
    for part in ("web", "worker", "sweeper"):
        installation.start(part, **pooled, EMAIL_PORT=str(smtp))
    until(installation.is_ready)

    stack = {"BASE_URL": installation.api, "INBOX_URL": f"http://127.0.0.1:{web}"}
    words = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:randomly",
        "-p",
        "no:cacheprovider",
        "tests/e2e/test_round.py",
    ]
    ran = subprocess.run(words, cwd=ROOT, env=os.environ | stack, capture_output=True, text=True, timeout=PATIENCE * 2)

    assert ran.returncode == 0, ran.stdout
    print(ran.stdout.splitlines()[-1])


def test_a_rush_a_stream_and_the_mails_pass_through_few_connections(
    installation: Installation, pooled: dict[str, str]
) -> None:
    for part in ("web", "sweeper"):
        installation.start(part, **pooled)
    until(installation.is_ready)
    with Crowd(installation, guests=300) as crowd:
        until(lambda: crowd.confirmed >= 100)
        headers = {"Authorization": f"Bearer {crowd.tokens[0]}", "Accept": "text/csv"}
        lines = httpx.get(
            f"{crowd.api}/events/{crowd.event}/registrations/", headers=headers, timeout=30, verify=NO_TLS
        ).text.splitlines()
        found = httpx.get(f"{crowd.api}/events/?search=lunch", timeout=30, verify=NO_TLS).json()["results"]
    until(lambda: installation.mails("state = 'sent'") == crowd.confirmed)
    print(f"{len(crowd.answers)} requests, {crowd.confirmed} seats and mails, over {CONNECTIONS} connections")

    assert crowd.statuses <= {201, 409}
    assert len(lines) > 100
    assert [event["title"] for event in found] == ["Launch"]  # a typo, by the threshold given to the role
    installation.manage("check_invariants", **pooled)


def test_a_held_event_is_busy_after_two_seconds_and_not_after_thirty(
    installation: Installation, pooled: dict[str, str]
) -> None:
    event, tokens = installation.seed(guests=1, capacity=1)
    installation.start("web", **pooled)
    until(installation.is_ready)

    with psycopg.connect(installation.database, connect_timeout=10) as holder:
        holder.execute("SELECT 1 FROM events_event WHERE id = %s FOR UPDATE", [event])
        answer = register(installation.api, event, tokens[0])

    assert (answer.status_code, answer.json()["code"]) == (503, "busy")


def test_a_process_that_is_not_told_of_the_pooler_is_refused(
    installation: Installation, pooled: dict[str, str]
) -> None:
    with pytest.raises(AssertionError, match="unsupported startup parameter: options"):
        installation.manage("mail", "status", DATABASE_URL=pooled["DATABASE_URL"])
