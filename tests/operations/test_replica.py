"""Lists and details asked for without a token are read from a streaming replica, while it is fresh and alive."""

import subprocess
from collections.abc import Iterator

import httpx
import psycopg
import pytest

from laptop.postgres import Postgres, postgres_programs
from tests.operations.installation import NO_TLS, PATIENCE, Installation, until


@pytest.fixture
def replica(installation: Installation) -> Iterator[Postgres]:
    primary, data = installation.folder / "pg", installation.folder / "replica"
    owner = primary.stat()
    data.mkdir(mode=0o700)
    subprocess.run(["chown", f"{owner.st_uid}:{owner.st_gid}", data], check=True)
    words = ["--pgdata", str(data), "--write-recovery-conf", "--checkpoint=fast", "--dbname", installation.database]
    subprocess.run(
        [postgres_programs() / "pg_basebackup", *words], cwd="/", check=True, timeout=PATIENCE, user=owner.st_uid
    )
    (data / ".s.PGSQL.5432.lock").unlink(missing_ok=True)  # of the primary, which has its socket among its files
    postgres = Postgres(data)
    postgres.start()
    yield postgres
    postgres.stop()


def titles(installation: Installation, token: str = "") -> set[str]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = httpx.get(f"{installation.api}/events/", timeout=30, verify=NO_TLS, headers=headers)
    return {event["title"] for event in answer.json()["results"]}


def detail(installation: Installation, event: int) -> str:
    return str(httpx.get(f"{installation.api}/events/{event}/", timeout=30, verify=NO_TLS).json()["title"])


def count(address: str) -> int:
    """How many statements asked for events there, apart from those of this test."""
    sql = "SELECT coalesce(sum(seq_scan + idx_scan), 0)::bigint FROM pg_stat_user_tables WHERE relname = 'events_event'"
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("SELECT pg_stat_clear_snapshot()")
        row = connection.execute(sql).fetchone()
    assert row
    return int(row[0])


def test_lists_without_a_token_come_from_a_fresh_replica_and_else_from_the_primary(
    installation: Installation, replica: Postgres
) -> None:
    address = replica.url()
    assert address
    event, [token] = installation.seed(guests=1, capacity=1)
    installation.start("web", DATABASE_REPLICA_URL=address, WEB_WORKERS="1")
    until(installation.is_ready)
    until(lambda: reads_there(installation, address))

    # Replaying stops; what is written now is seen by who has a token, at once, and by all others two seconds later.
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("SELECT pg_wal_replay_pause()")
        installation.query("UPDATE events_event SET title = 'Moved'")
        assert titles(installation, token) == {"Moved"}
        until(lambda: titles(installation) == {"Moved"})
        assert detail(installation, event) == "Moved"
        connection.execute("SELECT pg_wal_replay_resume()")
    until(lambda: reads_there(installation, address))

    replica.stop()
    installation.query("UPDATE events_event SET title = 'Alone'")
    assert [titles(installation) for _ in range(5)] == [{"Alone"}] * 5
    replica.start()
    until(lambda: reads_there(installation, address))


def reads_there(installation: Installation, address: str) -> bool:
    """Whether lists make the replica look at its events."""
    before = count(address)
    for _ in range(5):
        titles(installation)
    return count(address) > before
