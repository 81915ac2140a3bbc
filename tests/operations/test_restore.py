"""A dump taken under load is whole, and a copy of the service sends nobody a mail by itself (promise P17)."""

import subprocess
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import psycopg

from config.local_postgres import as_owner, postgres_programs
from tests.operations.conftest import LONG
from tests.operations.installation import Installation, until
from tests.operations.test_drain import register

GUESTS = 2000 if LONG else 120
LOOK = "from jointoit.mail import gate; from django.utils import timezone; gate.look(now=timezone.now())"
RELEASE = "from jointoit.mail import gate; from django.utils import timezone; gate.release(now=timezone.now())"


def test_a_restored_copy_is_whole_and_silent_until_it_is_released(installation: Installation) -> None:
    event, tokens = installation.seed(guests=GUESTS, capacity=GUESTS // 2)
    installation.start("web")
    until(installation.is_ready)
    installation.manage("shell", "-v", "0", "-c", LOOK)  # as every sender does: the gate notes where it stands
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(register, installation.api, event, token, str(uuid.uuid4())) for token in tokens]
        until(lambda: sum(each.done() for each in asked) >= GUESTS // 4)
        copy = restore(installation, dump(installation), name=f"copy_{uuid.uuid4().hex}")
    assert all(each.result().status_code == 201 for each in asked)  # type: ignore[union-attr]

    registrations, mails = (number(copy, table) for table in ("events_registration", "mail_outboxmail"))
    installation.manage("check_invariants", DATABASE_URL=copy)
    installation.start("sweeper", DATABASE_URL=copy)
    until(lambda: "mail_restored_copy_held" in installation.said("sweeper"))
    time.sleep(3)  # one more round

    assert GUESTS // 4 <= registrations <= GUESTS
    assert mails == registrations
    assert "held: This database was restored" in installation.manage("mail_status", DATABASE_URL=copy)
    assert installation.mail.received == []

    installation.manage("shell", "-v", "0", "-c", RELEASE, DATABASE_URL=copy)
    until(lambda: len(installation.mail.received) == mails)


def dump(installation: Installation) -> bytes:
    words = [*program("pg_dump", installation), "--format=custom", f"--dbname={installation.database}"]
    return subprocess.run(words, check=True, capture_output=True).stdout


def restore(installation: Installation, dumped: bytes, *, name: str) -> str:
    """Put the dump into a database of that name; its address."""
    with psycopg.connect(installation.other_database("postgres"), autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
    words = [*program("pg_restore", installation), "--no-owner", "--exit-on-error"]
    copy = installation.other_database(name)
    subprocess.run([*words, f"--dbname={copy}"], input=dumped, check=True, capture_output=True)
    return copy


def program(name: str, installation: Installation) -> list[str]:
    path = postgres_programs() / name
    return [*as_owner(installation.postgres.data, path), str(path)]


def number(database: str, table: str) -> int:
    with psycopg.connect(database) as connection:
        row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608
    assert row
    return int(row[0])
