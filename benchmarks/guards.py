"""Four ways to give out seats, in the database alone: which keeps the hot row for the shortest time?

`python -m benchmarks.guards`: 8 connections and 2,000 attempts on 500 seats, durable, alternating; each seat is told to
the outbox as well. What a guard costs in Python comes on top, most for the one that holds the row between statements.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from statistics import median
from typing import Any

import psycopg

from laptop import stack

SEATS, PEOPLE, CLIENTS, ROUNDS = 500, 2000, 8, 3
TABLES = """
    CREATE TABLE event (id int PRIMARY KEY, capacity int, taken int DEFAULT 0 CHECK (taken <= capacity));
    CREATE TABLE registration (
        id bigserial PRIMARY KEY, event int REFERENCES event, person int, UNIQUE (event, person)
    );
    CREATE TABLE mail (id bigserial PRIMARY KEY, key text UNIQUE, facts jsonb);
    CREATE TABLE seat (event int, number int, person int, PRIMARY KEY (event, number));
"""
REGISTER = "INSERT INTO registration (event, person) VALUES (%s, %s)"
PROMISE = "INSERT INTO mail (key, facts) VALUES (%s, '{\"a\": 1}')"
TAKE = "UPDATE event SET taken = taken + 1 WHERE id = %s AND taken < capacity RETURNING taken"


class SoldOut(Exception):
    """Rolls the transaction back."""


Session = psycopg.Connection[tuple[Any, ...]]


def lock_and_count(session: Session, event: int, person: int) -> bool:
    with session.transaction():
        session.execute("SELECT capacity FROM event WHERE id = %s FOR NO KEY UPDATE", [event])
        taken = session.execute("SELECT count(*) FROM registration WHERE event = %s", [event]).fetchone()
        if not taken or taken[0] >= SEATS:
            return False
        session.execute(REGISTER, [event, person])
        session.execute(PROMISE, [f"{event}:{person}"])
    return True


def insert_then_update(session: Session, event: int, person: int) -> bool:
    with suppress(SoldOut), session.transaction():
        session.execute(REGISTER, [event, person])
        session.execute(PROMISE, [f"{event}:{person}"])
        if session.execute(TAKE, [event]).fetchone() is None:
            raise SoldOut
        return True
    return False


def one_statement(session: Session, event: int, person: int) -> bool:
    """The way of `jointoit.events.seating`: a look without a lock, then one statement."""
    seen = session.execute("SELECT taken < capacity FROM event WHERE id = %s", [event]).fetchone()
    if not seen or not seen[0]:
        return False
    statement = """
        WITH seat AS (UPDATE event SET taken = taken + 1 WHERE id = %s AND taken < capacity RETURNING id),
             made AS (INSERT INTO registration (event, person) SELECT id, %s FROM seat RETURNING id)
        INSERT INTO mail (key, facts) SELECT %s, '{"a": 1}' FROM made RETURNING id
    """
    return session.execute(statement, [event, person, f"{event}:{person}"]).fetchone() is not None


def seat_rows(session: Session, event: int, person: int) -> bool:
    """Nobody waits for anybody, but a seat that is locked by one who then fails looks taken to the others."""
    statement = """
        WITH free AS MATERIALIZED (
            SELECT number FROM seat WHERE event = %s AND person IS NULL FOR UPDATE SKIP LOCKED LIMIT 1
        ), taken AS (
            UPDATE seat SET person = %s FROM free WHERE event = %s AND seat.number = free.number RETURNING event
        ),
             made AS (INSERT INTO registration (event, person) SELECT event, %s FROM taken RETURNING id)
        INSERT INTO mail (key, facts) SELECT %s, '{"a": 1}' FROM made RETURNING id
    """
    parameters = [event, person, event, person, f"{event}:{person}"]
    return session.execute(statement, parameters).fetchone() is not None


GUARDS = (lock_and_count, insert_then_update, one_statement, seat_rows)


def race(url: str, guard: Callable[[Session, int, int], bool], event: int) -> tuple[float, float, int]:
    """Seats a second while they last, seconds for the whole race, and how many seats were given."""
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("INSERT INTO event (id, capacity) VALUES (%s, %s)", [event, SEATS])
        session.execute("INSERT INTO seat SELECT %s, n FROM generate_series(1, %s) n", [event, SEATS])
    people = iter(range(PEOPLE))

    def client(_: int) -> Iterator[float]:
        with psycopg.connect(url, autocommit=True, prepare_threshold=1) as session:
            return iter([time.monotonic() for person in people if guard(session, event, person)])

    started = time.monotonic()
    with ThreadPoolExecutor(CLIENTS) as pool:
        given = [moment for moments in pool.map(client, range(CLIENTS)) for moment in moments]
    return len(given) / (max(given) - started), time.monotonic() - started, len(given)


def main() -> None:
    events = count(1)
    with stack.discarded("jointoit-guards-") as (_, urls):
        url = urls["DATABASE_URL"]
        with psycopg.connect(url, autocommit=True) as session:
            session.execute(TABLES)
        rounds = [[race(url, guard, next(events)) for guard in GUARDS] for _ in range(ROUNDS)]
    for number, guard in enumerate(GUARDS):
        mine = [figures[number] for figures in rounds]
        rate, whole = median(figures[0] for figures in mine), median(figures[1] for figures in mine)
        print(f"{guard.__name__:20} {rate:6.0f} seats/s   {whole:5.2f} s   sold {sorted(f[2] for f in mine)}")


if __name__ == "__main__":
    main()
