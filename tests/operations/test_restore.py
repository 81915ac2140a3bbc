"""A dump that was taken under load is one moment, and its copy sends nothing by itself (promise P17)."""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any, LiteralString

import psycopg
import pytest

from laptop.postgres import Postgres, postgres_programs
from tests.operations.conftest import LONG
from tests.operations.crowd import Crowd
from tests.operations.installation import PATIENCE, Installation, until

DUMPS = 5 if LONG else 1
COUNTS = """
    SELECT (SELECT sum(seats_taken) FROM events_event),
           (SELECT count(*) FROM events_registration WHERE status = 'confirmed'),
           (SELECT count(*) FROM mail_outboxmail WHERE kind = 'registration_confirmed')
"""
HELD = "SELECT held_because LIKE 'This database was restored%' FROM mail_mailgate"
ROUNDS = 3  # of a sweeper, which looks every two seconds


@pytest.fixture
def copy(installation: Installation) -> Iterator[Postgres]:
    """Another server, with an empty database."""
    postgres = Postgres(installation.folder / "copy")
    postgres.start()
    yield postgres
    postgres.stop()


def dump(installation: Installation, copy: Postgres) -> str:
    """Dump the database, and restore it in the copy; returns its address."""
    programs, target = postgres_programs(), copy.url()
    assert target
    with (installation.folder / "dump").open("w+b") as file:
        words = ["--format=custom", installation.database]
        subprocess.run([programs / "pg_dump", *words], stdout=file, check=True, timeout=PATIENCE)
        file.seek(0)
        words = ["--clean", "--if-exists", "--exit-on-error", "--dbname", target]
        subprocess.run([programs / "pg_restore", *words], stdin=file, check=True, timeout=PATIENCE)
    return target


@pytest.mark.parametrize("time_of_dump", range(DUMPS))
def test_a_restored_copy_agrees_with_itself_and_sends_nothing_until_it_is_told_to(
    installation: Installation, copy: Postgres, time_of_dump: int
) -> None:
    installation.start("web")
    until(installation.is_ready)
    with Crowd(installation, guests=400) as crowd:
        until(lambda: crowd.confirmed >= 20 * (time_of_dump + 1))
        address = dump(installation, copy)
        seen = crowd.confirmed
        until(lambda: crowd.confirmed > seen)  # nobody had to wait for the dump
    for part in ("web", "redis"):
        installation.stop(part)
    installation.start("redis")  # elsewhere there is another one, which is empty
    until(installation.redis_answers)

    seats, confirmed, promised = ask(address, COUNTS)
    assert 20 <= seats == confirmed == promised <= seen
    installation.manage("check_invariants", DATABASE_URL=address)

    for part in ("sweeper", "worker"):
        installation.start(part, DATABASE_URL=address)
    until(lambda: ask(address, HELD)[0])
    installation.ring()
    time.sleep(2 * ROUNDS)
    assert installation.mail.received == []

    installation.manage("mail", "release", DATABASE_URL=address)
    until(lambda: len(installation.mail.received) == promised)
    print(f"dumped with {seats} seats taken and {promised} mails promised; none went out before the release, all after")


@pytest.mark.parametrize("way", ["dump restored in place", "files put back"] if LONG else ["files put back"])
def test_a_database_put_back_where_it_was_sends_nothing_again(installation: Installation, way: str) -> None:
    """The copy has the mails of before they went out. Redis lived on, and a sweeper, which sees another database."""
    installation.book(guests=3)
    put_back = {"dump restored in place": in_place, "files put back": files}[way](installation)
    installation.start("sweeper")
    until(lambda: len(installation.mail.received) == 3)
    until(lambda: installation.mails("state = 'sent'") == 3)
    installation.stop("sweeper")

    put_back()
    assert installation.mails("state = 'pending'") == 3
    installation.start("sweeper")
    until(lambda: installation.query("SELECT held_at FROM mail_mailgate WHERE held_at IS NOT NULL"))
    time.sleep(2 * ROUNDS)
    assert len(installation.mail.received) == 3
    assert "held: " in installation.manage("mail", "status")

    installation.manage("mail", "release")
    until(lambda: len(installation.mail.received) == 6)  # an operator said so


def in_place(installation: Installation) -> Callable[[], object]:
    """Dump now; restore into the same database later."""
    programs, file = postgres_programs(), installation.folder / "in-place.dump"
    with file.open("wb") as written:
        words = ["--format=custom", installation.database]
        subprocess.run([programs / "pg_dump", *words], stdout=written, check=True, timeout=PATIENCE)
    words = ["--clean", "--if-exists", "--exit-on-error", "--dbname", installation.database, str(file)]
    return lambda: subprocess.run([programs / "pg_restore", *words], check=True, timeout=PATIENCE)


def files(installation: Installation) -> Callable[[], object]:
    """Copy the files of the stopped server now; put them back later."""
    data, kept = installation.folder / "pg", installation.folder / "pg-kept"
    shutil.rmtree(kept, ignore_errors=True)
    installation.stop("database")
    subprocess.run(["cp", "-a", data, kept], check=True, timeout=PATIENCE)
    installation.start("database")

    def put_back() -> None:
        installation.stop("database")
        shutil.rmtree(data)
        kept.rename(data)
        installation.start("database")

    return put_back


def ask(address: str, sql: LiteralString) -> tuple[Any, ...]:
    with psycopg.connect(address, connect_timeout=10) as connection:
        row = connection.execute(sql).fetchone()
    assert row
    return row
