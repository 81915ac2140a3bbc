"""The feed beside many who write: each fact once, in one order, whenever its transaction commits."""

import os
import random
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event as Signal

import psycopg
import pytest
from django.db import connection, transaction
from psycopg.conninfo import make_conninfo

from jointoit.accounts.callers import Caller
from jointoit.events import booking, feed
from jointoit.journal.models import Fact
from jointoit.journal.writer import SYSTEM, fact, record
from laptop.postgres import postgres_programs
from tests.races.conftest import SCALE

pytestmark = pytest.mark.django_db(transaction=True)
WRITERS, READERS = 16, 4
EACH = 625 if SCALE > 1 else 20


def write(event, people, now):
    """Registrations of one event, each in a transaction that stays open for a while before it commits."""
    chance = random.Random(event.pk)
    try:
        for person in people:
            with transaction.atomic():
                booking.register(event_id=event.pk, attendee=person, now=now)
                time.sleep(chance.random() * 0.02)
    finally:
        connection.close()


def follow(owner, ended):
    """What one reader gets, page after page, until nothing more comes after the writers have ended."""
    seen, asked, chance = [], {}, random.Random()
    try:
        while True:
            last = ended.is_set()
            page = feed.page({**asked, "managed": True, "page_size": chance.randint(1, 100)}, caller=Caller(owner))
            asked = {"cursor": page.next.write()}
            seen += [row["id"] for row in page.rows]
            if last and not page.rows:
                return seen
    finally:
        connection.close()


def follow_ids(owner, ended):
    """The control: whoever takes the greatest id for the place where they are."""
    seen, edge = [], 0
    try:
        while True:
            last = ended.is_set()
            rows = list(Fact.objects.filter(pk__gt=edge).order_by("pk").values_list("pk", flat=True)[:100])
            seen, edge = seen + rows, max([edge, *rows])
            if last and not rows:
                return seen
    finally:
        connection.close()


@pytest.fixture
def read_while_others_write(make_user, make_event, now):
    def run(reader):
        owner, ended = make_user(), Signal()
        events = [make_event(organizer=owner) for _ in range(WRITERS)]
        people = [[make_user() for _ in range(EACH)] for _ in events]
        with ThreadPoolExecutor(WRITERS + READERS) as pool:
            readers = [pool.submit(reader, owner, ended) for _ in range(READERS)]
            writers = [pool.submit(write, event, each, now) for event, each in zip(events, people, strict=True)]
            for writer in writers:
                writer.result()
            ended.set()
            return [each.result() for each in readers]

    return run


def test_each_reader_gets_each_fact_once_and_all_in_one_order(read_while_others_write):
    first, *others = read_while_others_write(follow)

    assert sorted(first) == list(Fact.objects.order_by("pk").values_list("pk", flat=True))
    assert len(first) == WRITERS * EACH
    assert [other == first for other in others] == [True] * (READERS - 1)


def test_a_reader_that_goes_by_ids_loses_some(read_while_others_write):
    readers = read_while_others_write(follow_ids)

    assert min(len(seen) for seen in readers) < WRITERS * EACH


def test_what_was_rolled_back_never_comes(make_event, now):
    event = make_event()
    with transaction.atomic():
        record([fact("event.changed", actor=SYSTEM, event_id=event.pk, at=now, public=True)])
        transaction.set_rollback(True)

    assert feed.page({}, caller=Caller()).rows == []


def address(database=None):
    return make_conninfo(os.environ["DATABASE_URL"], dbname=database or connection.settings_dict["NAME"])


def told(event, now, kind="event.changed"):
    with transaction.atomic():
        record([fact(kind, actor=SYSTEM, event_id=event.pk, at=now, public=True)])


def types(asked=None):
    return [row["type"] for row in feed.page(asked or {}, caller=Caller()).rows]


def test_an_open_transaction_holds_back_what_came_after_it_and_a_reader_does_not(make_event, now):
    event = make_event()
    with psycopg.connect(address(), autocommit=True) as writer, writer.transaction():
        writer.execute("SELECT pg_current_xact_id()")
        told(event, now)
        held = types()
    with psycopg.connect(address(), autocommit=True) as reader, reader.transaction():
        reader.execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY")
        reader.execute("SELECT count(*) FROM journal_fact")
        told(event, now, "event.published")
        free = types()

    assert (held, free) == ([], ["event.changed", "event.published"])


def test_a_writer_in_another_database_of_the_server_holds_nothing_back(make_event, now):
    event = make_event()
    with psycopg.connect(address("postgres"), autocommit=True) as elsewhere, elsewhere.transaction():
        elsewhere.execute("SELECT pg_current_xact_id()")
        told(event, now)

        assert types() == ["event.changed"]


def test_a_dump_that_runs_holds_nothing_back(make_event, now):
    event = make_event()
    with connection.cursor() as cursor:  # more than fits into the pipe that nobody reads
        cursor.execute(
            "INSERT INTO journal_fact (type, at, actor_kind, event_id, after) SELECT 'x', now(), 'system', 0, "
            "to_jsonb(repeat(md5(n::text), 100)) FROM generate_series(1, 3000) n"
        )
    dump = subprocess.Popen([postgres_programs() / "pg_dump", "--dbname", address()], stdout=subprocess.PIPE)
    try:
        assert dump.stdout.read(1)
        told(event, now)

        assert (types(), dump.poll()) == (["event.changed"], None)
    finally:
        dump.kill()
        dump.wait()
        dump.stdout.close()
