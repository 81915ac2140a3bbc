"""The servers of a laptop, the real ones, in a folder of their own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from config.env import ROOT
from laptop.postgres import LONGEST_SOCKET, Postgres
from laptop.server import CannotStart
from laptop.valkey import Valkey, answers, client
from tests.servers import bare_environment

Holder = Callable[..., subprocess.Popen[str]]
Addresses = dict[str, str]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Addresses]:
    """Servers for those who only look."""
    words = [sys.executable, "-m", "laptop.stack", str(tmp_path_factory.mktemp("running")), "--fast"]
    with subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        yield addresses(holder)


@pytest.fixture
def hold(tmp_path: Path) -> Iterator[Holder]:
    """Start processes that need the servers of one folder, as `manage.py` and `make run` do."""
    started: list[subprocess.Popen[str]] = []

    def start(folder: Path = tmp_path / "data") -> subprocess.Popen[str]:
        words = [sys.executable, "-m", "laptop.stack", str(folder), "--fast"]
        holder = subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(holder)
        return holder

    yield start
    for holder in started:
        with holder:  # closes its pipes, at which it leaves, and waits
            pass


def addresses(holder: subprocess.Popen[str]) -> Addresses:
    assert holder.stdout
    return dict(json.loads(holder.stdout.readline()))


def leave(holder: subprocess.Popen[str]) -> None:
    assert holder.stdin
    holder.stdin.close()
    holder.wait(timeout=30)


def ask(where: Addresses, statement: str) -> object:
    with psycopg.connect(where["DATABASE_URL"]) as connection:
        row = connection.execute(statement.encode()).fetchone()
        return row[0] if row else None


def both_answer(where: Addresses) -> tuple[bool, bool]:
    try:
        ask(where, "SELECT 1")
    except psycopg.OperationalError:
        return False, answers(where["REDIS_URL"])
    return True, answers(where["REDIS_URL"])


def test_the_last_to_leave_stops_the_servers(hold: Holder) -> None:
    first, second = hold(), hold()
    where = addresses(first)
    assert addresses(second) == where

    leave(first)
    shared = both_answer(where)
    leave(second)

    assert (shared, both_answer(where)) == ((True, True), (False, False))


def test_after_kill_9_of_everything_the_next_start_finds_the_data(hold: Holder, tmp_path: Path) -> None:
    holder = hold()
    where = addresses(holder)
    with psycopg.connect(where["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        connection.execute("CHECKPOINT")
    postmaster = int((tmp_path / "data" / "postgres" / "postmaster.pid").read_text().split()[0])
    valkey = client(where["REDIS_URL"]).info("server")["process_id"]

    for number in (holder.pid, postmaster, valkey):
        os.kill(number, signal.SIGKILL)
    holder.wait()

    assert ask(addresses(hold()), "SELECT answer FROM kept") == 42


def test_servers_whose_user_was_killed_are_taken_over(hold: Holder) -> None:
    holder = hold()
    where = addresses(holder)
    holder.kill()
    holder.wait()

    assert addresses(hold()) == where


def test_text_is_folded_as_unicode_says(running: Addresses) -> None:
    folded = ask(running, "SELECT ARRAY[upper('straße'), lower('İ'), upper('київ')]")

    assert folded == ["STRASSE", "i̇", "КИЇВ"]


def test_parts_of_words_are_found_in_every_script(running: Addresses) -> None:
    with psycopg.connect(running["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        assert connection.execute("SELECT word_similarity('київ', 'Місто Київ') > 0.9").fetchone() == (True,)


def test_a_deep_folder_with_spaces_is_no_obstacle(hold: Holder, tmp_path: Path) -> None:
    deep = tmp_path / ("it's deep " * 9) / "data"
    assert len(str(deep)) > LONGEST_SOCKET

    assert ask(addresses(hold(deep)), "SELECT current_database()") == "jointoit"


def test_two_folders_have_two_sets_of_servers(hold: Holder, tmp_path: Path) -> None:
    one, other = hold(tmp_path / "one"), hold(tmp_path / "other")
    where = addresses(other)
    addresses(one)

    leave(one)

    assert both_answer(where) == (True, True)


def test_nobody_without_the_password_talks_to_valkey(running: Addresses) -> None:
    url = running["REDIS_URL"]

    assert [answers(url), answers(f"redis://{url.rpartition('@')[2]}")] == [True, False]


def test_data_of_another_version_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "PG_VERSION").write_text("9\n")

    with pytest.raises(CannotStart, match="belong to PostgreSQL 9"):
        Postgres(tmp_path).start()


def test_a_server_that_will_not_start_says_why_in_a_sentence(tmp_path: Path) -> None:
    occupied = tmp_path / "valkey"
    (occupied / "server.log").mkdir(parents=True)

    with pytest.raises(CannotStart, match=r"server\.log"):
        Valkey(occupied).start()


def test_manage_py_works_with_nothing_set(tmp_path: Path) -> None:
    environment = bare_environment(LOCAL_DATA=str(tmp_path))
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c",
               "from django.db import connection as c; c.ensure_connection(); print(c.vendor)"]  # fmt: skip

    ran = subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True)

    left = (tmp_path / "postgres" / "postmaster.pid").exists() or (tmp_path / "valkey" / "url").exists()
    assert (ran.returncode, ran.stdout, ran.stderr, left) == (0, "postgresql\n", "", False)


def test_a_second_signal_does_not_cut_the_stopping_short(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    words = [sys.executable, "-m", "laptop.stack", str(folder), "--fast", "--discard"]
    with subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        where = addresses(holder)
        while holder.poll() is None:
            holder.send_signal(signal.SIGTERM)
            time.sleep(0.02)

    assert (holder.returncode, both_answer(where), folder.exists()) == (128 + signal.SIGTERM, (False, False), False)
