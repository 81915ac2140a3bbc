"""SQL that is written once: PostgreSQL plans it once, and to everybody else it is a query like others."""

from contextlib import nullcontext, suppress
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from django.db import Error, NotSupportedError, OperationalError, ProgrammingError, connection, transaction
from django.db.utils import ConnectionHandler
from django.test.utils import CaptureQueriesContext

from jointoit.api.lists import prepared
from jointoit.api.lists.prepared import PreparedQuery, columns_of, instance_of
from jointoit.api.problems.mapping import problem_of
from jointoit.events.models import Event
from tests.api.test_database import end_from_outside

pytestmark = pytest.mark.django_db(transaction=True)

ONE = PreparedQuery("SELECT %(number)s AS number")
ANEW = PreparedQuery("SELECT %(number)s AS number", prepare=False)


def plans() -> list[tuple[int, str]]:
    """How often PostgreSQL ran each statement that it knows by a name, and the types of its parameters."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT generic_plans + custom_plans, parameter_types::text FROM pg_prepared_statements")
        return [(runs, types) for runs, types in cursor.fetchall()]


def test_a_statement_is_planned_once_for_integers_of_every_size() -> None:
    connection.close()  # with whatever other tests prepared
    for number in (1, 40_000, 3_000_000_000, 2**63 - 1):
        assert ONE.rows({"number": number}) == [{"number": number}]
    assert plans() == [(4, "{bigint}")]


def test_where_the_values_decide_nothing_is_kept() -> None:
    connection.close()
    assert [ANEW.row({"number": number}) for number in (1, 2)] == [{"number": 1}, {"number": 2}]
    assert plans() == []


def test_behind_a_pooler_nothing_is_prepared(settings: Any) -> None:
    settings.DATABASE_POOLER = True
    connection.close()
    assert ONE.row({"number": 7}) == {"number": 7}
    assert plans() == []


def test_queries_of_django_leave_nothing_with_the_connection() -> None:
    ONE.row({"number": 7})
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s", ["x" * 100_000])
    assert connection.connection.prepare_threshold is None


@pytest.mark.parametrize("text", ["100% 'sure'? %s %(pk)s \\ \"x\" {0} Ω", "'; DROP TABLE accounts_user; --"])
def test_texts_mean_themselves(text: str) -> None:
    assert PreparedQuery("SELECT %(text)s::text AS text").row({"text": text}) == {"text": text}


def test_a_time_is_read_in_utc_to_the_microsecond() -> None:
    moment = datetime(2030, 5, 17, 18, 0, 0, 123456, tzinfo=UTC)
    found: Any = PreparedQuery("SELECT %(moment)s AS moment").row({"moment": moment})
    assert (found["moment"], found["moment"].utcoffset().total_seconds()) == (moment, 0)


def test_a_value_that_is_not_there_is_missed() -> None:
    with pytest.raises(ProgrammingError, match="parameter missing: number"):
        ONE.rows({})


def test_what_ran_is_counted_and_told_with_its_values() -> None:
    with CaptureQueriesContext(connection) as queries:
        ONE.rows({"number": 7})
    assert [query["sql"] for query in queries.captured_queries] == ["SELECT 7 AS number"]


def test_an_execute_wrapper_sees_it() -> None:
    seen: list[str] = []

    def wrapper(execute: Any, sql: str, *rest: Any) -> Any:
        seen.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(wrapper):
        ONE.rows({"number": 7})
    assert seen == [ONE.sql]


def test_it_is_part_of_the_transaction_it_is_in(make_user: Any) -> None:
    person = make_user(username="before")
    rename = PreparedQuery("UPDATE accounts_user SET username = 'after' WHERE id = %(pk)s RETURNING id")
    with suppress(KeyError), transaction.atomic():
        assert rename.rows({"pk": person.pk}) == [{"id": person.pk}]
        raise KeyError
    person.refresh_from_db()
    assert person.username == "before"


def test_a_connection_that_was_ended_meanwhile_is_replaced() -> None:
    """As by an ordinary cursor: a restart of the database costs each thread no request."""
    connection.ensure_connection()
    end_from_outside(connection.connection.info.backend_pid)
    connection.close_if_unusable_or_obsolete()  # as when a request begins
    assert ONE.row({"number": 1}) == {"number": 1}


@pytest.mark.parametrize("query", [ONE, ANEW])
def test_a_connection_that_ends_under_a_statement_is_an_operational_error(query: PreparedQuery) -> None:
    query.rows({"number": 1})
    end_from_outside(connection.connection.info.backend_pid)
    with pytest.raises(OperationalError):
        query.rows({"number": 1})
    connection.close_if_unusable_or_obsolete()
    assert query.row({"number": 1}) == {"number": 1}


def test_a_statement_that_failed_can_be_run_again() -> None:
    divide, found = PreparedQuery("SELECT 1 / %(by)s::int AS quotient"), []
    for by in (0, 1):
        with suppress(Error):
            found += divide.rows({"by": by})
    assert found == [{"quotient": 1}]


@pytest.fixture
def changing() -> Any:
    """A statement on a table whose column a migration changes afterwards."""
    connection.close()
    query = PreparedQuery("SELECT text FROM changing")
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE changing (text varchar(10))")
    query.rows({})

    def change() -> PreparedQuery:
        other = connection.copy()
        with other.cursor() as cursor:  # from elsewhere: psycopg notices what its own connection alters
            cursor.execute("ALTER TABLE changing ALTER text TYPE varchar(20)")
        other.close()
        return query

    yield change
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE changing")


def test_a_plan_that_a_migration_outdated_is_made_anew(changing: Any) -> None:
    assert changing().rows({}) == []


def test_a_pool_lends_no_outdated_plan_twice(changing: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = {"min_size": 3, "max_size": 3}
    options = connection.settings_dict["OPTIONS"] | {"pool": pool}
    wanted = connection.settings_dict | {"CONN_MAX_AGE": 0, "OPTIONS": options}
    pooled: Any = ConnectionHandler({"default": wanted})
    monkeypatch.setattr(prepared, "connections", pooled)
    query = PreparedQuery("SELECT text FROM changing")

    def ask() -> list[Any]:
        """As one request: it borrows a connection and gives it back."""
        try:
            return query.rows({})
        finally:
            pooled["default"].close()

    try:
        for _ in range(6):
            ask()  # the pool lends each connection in turn
        changing()
        assert [ask() for _ in range(6)] == [[]] * 6
    finally:
        pooled["default"].close_pool()


def test_a_client_whose_transaction_met_an_outdated_plan_is_told_to_come_again(rf: Any) -> None:
    outdated = NotSupportedError("cached plan must not change result type")
    outdated.__cause__ = psycopg.errors.FeatureNotSupported()
    problem = problem_of(outdated, rf.get("/"))
    assert problem
    assert (problem.status, problem.code) == (503, "busy")


def test_within_a_transaction_an_outdated_plan_ends_that_transaction(changing: Any) -> None:
    query = changing()
    for expected in (pytest.raises(NotSupportedError), nullcontext()):
        with expected, transaction.atomic():
            query.rows({})


def test_a_row_by_some_of_its_columns_is_an_instance(make_event: Any, django_assert_num_queries: Any) -> None:
    made = make_event(title="Jazz")
    columns = columns_of(Event, "event", ["id", "title"], prefix="e_")
    query = PreparedQuery(f"SELECT {columns} FROM events_event AS event")
    event = instance_of(Event, query.rows({})[0], ["id", "title"], prefix="e_")
    with django_assert_num_queries(0):
        assert (event, event.title) == (made, "Jazz")
    assert "date" in event.get_deferred_fields()


@pytest.mark.parametrize("without_server_side_cursors", [False, True])
def test_a_stream_has_all_rows(*, without_server_side_cursors: bool) -> None:
    numbers = PreparedQuery("SELECT generate_series(1, %(last)s) AS number")
    connection.settings_dict["DISABLE_SERVER_SIDE_CURSORS"] = without_server_side_cursors
    try:
        assert [row["number"] for row in numbers.stream({"last": 7}, size=3)] == [*range(1, 8)]
    finally:
        connection.settings_dict["DISABLE_SERVER_SIDE_CURSORS"] = False
