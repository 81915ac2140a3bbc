"""No filter and no order reads the whole table or sorts more than a page of it: PostgreSQL's own word for it.

30,000 events by the statement of the benchmarks; `make plans` does it with a million.
"""

import json
import os
import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from benchmarks import dataset
from jointoit.api.lists.pagination import page_query
from jointoit.events import event_queries
from jointoit.journal import reader

EVENTS = int(os.environ.get("PLAN_EVENTS") or 30_000)
#: Rows that may be looked at for a page of 20: what a selective index finds, or what a walk in order passes by.
MOST = 3_000


@pytest.fixture(scope="module")
def crowd(django_db_setup: None, django_db_blocker: Any) -> Any:
    """The events, for all tests of this module, and gone after them."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(dataset.PEOPLE)
        cursor.execute(dataset.EVENTS, [EVENTS])
        cursor.execute("VACUUM ANALYZE events_event")
        cursor.execute("RESET statement_timeout")
        yield
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("DELETE FROM events_event")
        cursor.execute("DELETE FROM accounts_user WHERE username LIKE 'bench%'")
        cursor.execute("VACUUM ANALYZE events_event")
        cursor.execute("RESET statement_timeout")


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for child in plan.get("Plans", []) for node in nodes(child))]


def looked_at(node: dict[str, Any]) -> int:
    """Rows of the table that a scan fetched, those that it then threw away included."""
    removed = sum(node.get(name, 0) for name in ("Rows Removed by Filter", "Rows Removed by Index Recheck"))
    rows: float = (node["Actual Rows"] + removed) * node["Actual Loops"]
    return round(rows) if node.get("Relation Name") else 0


def explained(api: Any, query: str) -> list[dict[str, Any]]:
    with CaptureQueriesContext(connection) as queries:
        assert api.get(f"/events/?{query}").status_code == 200
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + queries.captured_queries[-1]["sql"])
        plan = cursor.fetchone()[0]
    return nodes((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"])


def read_whole(plan: list[dict[str, Any]]) -> list[str]:
    """Tables that are read to their end; registrations are too few here for an index to be worth its while."""
    whole = [node["Relation Name"] for node in plan if node["Node Type"] in ("Seq Scan", "Parallel Seq Scan")]
    return [name for name in whole if name != "events_registration"]


@pytest.mark.django_db
@pytest.mark.xdist_group("plans")
@pytest.mark.parametrize(
    "query",
    [
        "", "ordering=-date", "ordering=created_at", "ordering=-created_at", "ordering=title", "ordering=-title",
        "title=a", "title=jazz", "title=xyzzy", "title=nowhere", "location=city", "location=city+a1",
        "location=nowhere",
        "organizer={organizer}", "status=published", "status=cancelled", "tag=jazz", "tag=rare", "tag=none",
        "has_seats=true", "has_seats=false", "upcoming=true", "upcoming=false", "ongoing=true", "ongoing=false",
        "ongoing=true&ordering=title", "ongoing=true&title=jazz", "upcoming=true&ordering=-date",
        "upcoming=false&ordering=-date", "date=2026", "date=2026-05-17",
        "search=xyzzy", "search=xyzzi", "search=jazz&ordering=date", "upcoming=true&tag=jazz",
        "upcoming=true&has_seats=true", "upcoming=true&title=jazz", "upcoming=true&title=xyzzy",
        "upcoming=true&location=city+a1", "status=published&ordering=-created_at", "tag=rare&location=city+a1",
        "has_seats=false&upcoming=true&ordering=title", "organizer={organizer}&ordering=title",
    ],
)  # fmt: skip
def test_a_page_is_found_by_an_index(api, crowd, query: str):
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(id) FROM accounts_user WHERE username LIKE 'bench%'")
        (organizer,) = cursor.fetchone()

    plan = explained(api, query.format(organizer=organizer))

    assert read_whole(plan) == []
    assert max(looked_at(node) for node in plan) <= MOST
    assert {node["Sort Method"] for node in plan if node["Node Type"] == "Sort"} <= {"top-N heapsort", "quicksort"}


@pytest.mark.django_db
@pytest.mark.xdist_group("plans")
@pytest.mark.parametrize(
    "asked",
    [
        {}, {"ordering": "-date"}, {"organizer": 1}, {"status": "published"}, {"status": "cancelled"},
        {"has_seats": True}, {"has_seats": False}, {"upcoming": True}, {"upcoming": True, "organizer": 1},
        {"upcoming": False, "ordering": "-date"}, {"ongoing": True}, {"ongoing": False},
        {"ongoing": True, "status": "published"},
    ],
)  # fmt: skip
@pytest.mark.parametrize("has_edge", [False, True])
def test_a_plan_that_is_kept_is_good_for_every_value(crowd, now, asked: dict[str, Any], has_edge: bool):
    """PostgreSQL made to plan without seeing the values, which it does after five runs if that looks no worse."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(id) FROM accounts_user WHERE username LIKE 'bench%'")
        (organizer,) = cursor.fetchone()
    asked = asked | ({"organizer": organizer} if "organizer" in asked else {})
    listing = event_queries.event_list(asked, reader=organizer, now=now)
    assert listing.query.prepare
    edge = {"edge_date": now, "edge_id": 1} if has_edge else {}

    plan = explained_generic(page_query(listing.query, has_edge=has_edge, backward=False).sql, {
        **listing.values, **edge, "page_rows": 21,
    })  # fmt: skip

    assert read_whole(plan) == []
    assert {node["Sort Method"] for node in plan if node["Node Type"] == "Sort"} <= {"top-N heapsort", "quicksort"}
    assert max(looked_at(node) for node in plan) <= MOST


def explained_generic(statement: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", statement)))
    for number, name in enumerate(names, start=1):
        statement = statement.replace(f"%({name})s", f"${number}")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        cursor.execute(f"PREPARE asked AS {statement.replace('%%', '%')}")
        cursor.execute(
            f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE asked({', '.join(['%s'] * len(names))})",
            [values[name] for name in names],
        )
        plan = cursor.fetchone()[0]
        cursor.execute("DEALLOCATE asked")
    return nodes((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"])


@pytest.mark.django_db
@pytest.mark.xdist_group("plans")
@pytest.mark.parametrize("where", ["first", "last"])
def test_a_page_of_the_history_of_one_event_is_found_wherever_it_is(where: str):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO journal_fact (type, at, actor_kind, event_id) SELECT 'event.changed', now(), 'owner', 1 "
            "FROM generate_series(1, %s)",
            [EVENTS],
        )
        cursor.execute("ANALYZE journal_fact")
        cursor.execute("SELECT transaction, min(id) + 20 FROM journal_fact GROUP BY 1")
        transaction, last = cursor.fetchone()
    listing = reader.history({"event": 1})
    edge = {"edge_transaction": transaction, "edge_id": last} if where == "last" else {}

    plan = explained_generic(
        page_query(listing.query, has_edge=bool(edge), backward=False).sql, {**listing.values, **edge, "page_rows": 21}
    )

    assert read_whole(plan) == []
    assert max(looked_at(node) for node in plan) <= 21


@pytest.mark.django_db
@pytest.mark.xdist_group("plans")
def test_without_its_index_the_table_would_be_read(api, crowd):
    """The control: these tests see it when an index is missing."""
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX event_title_parts")

    assert max(looked_at(node) for node in explained(api, "title=nowhere")) > MOST
