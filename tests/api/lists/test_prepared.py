"""Statements that are written once: they say what the queryset says, whatever is given and whatever stands in them."""

from contextlib import nullcontext, suppress
from typing import Any

import pytest
from django.db import DataError, Error, NotSupportedError, OperationalError, connection, transaction
from django.db.models import BigAutoField, CharField, Q
from django.test.utils import CaptureQueriesContext

from jointoit.accounts.models import User
from jointoit.api.lists import prepared
from jointoit.api.lists.pagination import statement_of
from jointoit.api.lists.prepared import Given, Statement, instance
from jointoit.api.postgresql import cursors
from jointoit.events.models import Event
from tests.api.test_database import end_from_outside

pytestmark = pytest.mark.django_db

ODD = """100% 'sure'? %s %(pk)s \\ "x" {0} Ω"""


def test_a_value_is_given_at_each_run(make_user: Any) -> None:
    people = [make_user() for _ in range(3)]
    statement = Statement(User.objects.filter(pk=Given("pk", BigAutoField())).order_by().values("username", "pk"))
    for person in people:
        assert statement.rows(pk=person.pk) == [{"username": person.username, "pk": person.pk}]
    assert statement.rows(pk=0) == []


def test_a_value_that_is_not_there_is_missed(db: None) -> None:
    with pytest.raises(KeyError):
        Statement(User.objects.filter(pk=Given("pk", BigAutoField())).values("pk")).rows()


@pytest.mark.parametrize("text", [ODD, "%%", "'; DROP TABLE accounts_user; --", "%(name)s"])
def test_texts_mean_themselves_whether_they_stand_in_it_or_are_given(make_user: Any, text: str) -> None:
    found = make_user(first_name=text).pk
    make_user(first_name="another")
    written = Statement(User.objects.filter(first_name__contains=text).values("pk"))
    assert written.rows() == [{"pk": found}]
    given = Statement(User.objects.filter(~Q(first_name="%"), first_name=Given("name", CharField())).values("pk"))
    assert given.rows(name=text) == [{"pk": found}]


@pytest.mark.django_db(transaction=True)
def test_postgresql_plans_it_once(make_user: Any) -> None:
    connection.close()  # with whatever other tests prepared
    statement = Statement(User.objects.filter(pk=Given("pk", BigAutoField())).values("pk"))
    for _ in range(4):
        statement.rows(pk=1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT generic_plans + custom_plans FROM pg_prepared_statements")
        assert cursor.fetchall() == [(4,)]


@pytest.mark.django_db(transaction=True)
def test_behind_a_pooler_nothing_is_prepared(make_user: Any, settings: Any) -> None:
    settings.DATABASE_POOLER = True
    connection.close()
    assert Statement(User.objects.values("pk")).rows() == []
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements")
        assert cursor.fetchone() == (0,)


def test_pages_of_a_standing_queryset_are_written_once_for_all_keys() -> None:
    people, ordering = User.objects.values("pk", "date_joined"), ("-date_joined", "-id")
    pages = [statement_of(people, ordering, has_key=has_key, keeps_plan=True) for has_key in (False, True, True)]
    assert pages[1] is pages[2] is not pages[0]
    assert pages[1].fields.keys() == {"key_date_joined", "key_id"}


def test_what_ran_can_be_read_with_its_values(make_user: Any) -> None:
    with CaptureQueriesContext(connection) as queries:
        Statement(User.objects.filter(username=Given("name", CharField())).values("pk")).rows(name="ada")
    assert queries.captured_queries[-1]["sql"].endswith("= ('ada')")


@pytest.mark.django_db(transaction=True)
def test_ids_of_every_size_share_one_plan(make_user: Any) -> None:
    connection.close()
    statement = Statement(User.objects.filter(pk=Given("pk", BigAutoField())).values("pk"))
    for pk in (1, 40_000, 3_000_000_000):
        statement.rows(pk=pk)
    with connection.cursor() as cursor:
        cursor.execute("SELECT parameter_types::text FROM pg_prepared_statements")
        assert cursor.fetchall() == [("{bigint}",)]


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_was_ended_meanwhile_is_replaced(make_user: Any) -> None:
    """As by an ordinary cursor: a restart of the database costs each thread no request."""
    statement = Statement(User.objects.values("pk"))
    connection.ensure_connection()
    end_from_outside(connection.connection.info.backend_pid)
    connection.close_if_unusable_or_obsolete()  # as when a request begins
    assert statement.rows() == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("keeps_plan", [True, False])
def test_a_connection_that_ends_under_a_statement_is_an_operational_error(*, keeps_plan: bool) -> None:
    prepared.run("SELECT 1", keeps_plan=keeps_plan)
    end_from_outside(connection.connection.info.backend_pid)
    with pytest.raises(OperationalError):
        prepared.run("SELECT 1", keeps_plan=keeps_plan)
    assert not connection.is_usable()
    connection.close_if_unusable_or_obsolete()
    assert prepared.run("SELECT 1", keeps_plan=keeps_plan) == [(1,)]


@pytest.mark.django_db(transaction=True)
def test_a_plan_that_a_migration_outdated_is_made_anew() -> None:
    connection.close()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE changing (text varchar(10))")
    try:
        for _ in range(2):
            prepared.run("SELECT text FROM changing")
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE changing ALTER text TYPE varchar(20)")
        prepared.run("SELECT text FROM changing")
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_prepared_statements")
            assert cursor.fetchone() == (1,)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE changing")
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_a_statement_that_failed_can_be_run_again() -> None:
    found = []
    for below in (0, 1):
        with suppress(Error):
            found += prepared.run("SELECT 1 / %(below)s::int", {"below": below})
    assert found == [(1,)]


@pytest.mark.django_db(transaction=True)
def test_a_plan_that_a_migration_outdated_within_a_transaction_ends_that_transaction() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE changing (text varchar(10))")
    try:
        prepared.run("SELECT text FROM changing")
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE changing ALTER text TYPE varchar(20)")
        for expected in (pytest.raises(NotSupportedError), nullcontext()):
            with expected, transaction.atomic():
                prepared.run("SELECT text FROM changing")
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE %s", ["SELECT text%"])
            assert cursor.fetchone() == (1,)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE changing")


@pytest.mark.django_db(transaction=True)
def test_the_first_statement_of_a_transaction_is_part_of_it(make_user: Any) -> None:
    """psycopg begins one when it is asked for something: this cursor does not ask it."""
    person = make_user(username="before")
    with suppress(KeyError), transaction.atomic():
        prepared.run("UPDATE accounts_user SET username = 'after' WHERE id = %(pk)s", {"pk": person.pk})
        raise KeyError
    person.refresh_from_db()
    assert person.username == "before"


@pytest.mark.django_db(transaction=True)
def test_a_connection_keeps_a_bounded_number_of_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    connection.close()
    monkeypatch.setattr(cursors, "MOST_KEPT", 3)
    found = []
    for number in (1, 2, 3, 1, 4, 1):
        found += prepared.run(f"SELECT {number}")
    assert found == [(1,), (2,), (3,), (1,), (4,), (1,)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements ORDER BY prepare_time")
        assert cursor.fetchall() == [("SELECT 1",), ("SELECT 3",), ("SELECT 4",)]


@pytest.mark.django_db(transaction=True)
def test_a_statement_whose_best_plan_depends_on_what_is_given_is_planned_each_time(make_user: Any) -> None:
    connection.close()
    found = make_user(first_name="100%").pk
    people = User.objects.filter(first_name__contains=Given("name", CharField())).values("pk")
    statement = Statement(people, keeps_plan=False)
    for name, expected in {"0%": [{"pk": found}], "%0": [], "_": [], "100": [{"pk": found}]}.items():
        assert statement.rows(name=name) == expected
    for _ in range(10):  # after the sixth PostgreSQL would keep one plan for all values
        statement.rows(name="x")
    assert known_plans() == [(0, 12)]


def known_plans() -> list[tuple[int, int]]:
    """How often PostgreSQL ran each that it knows by a name: by one plan for all values, and by a plan of its own."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT generic_plans, custom_plans FROM pg_prepared_statements ORDER BY statement")
        return [(generic, custom) for generic, custom in cursor.fetchall()]


KEPT, ANEW, OTHER = ("SELECT 1 + %(n)s::int", True), ("SELECT 2 + %(n)s::int", False), ("SELECT 3 + %(n)s::int", False)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("asked", "plans"),
    [
        ([KEPT] * 8, [(3, 5)]),
        ([ANEW] * 8, [(0, 6)]),
        ([KEPT, ANEW] * 8, [(3, 5)]),  # telling PostgreSQL each time would cost more than it saves
        ([ANEW, OTHER] * 8, []),
        ([KEPT, ANEW, ANEW] * 8, [(3, 5)]),
        ([KEPT] * 8 + [ANEW] * 8 + [KEPT] * 3, [(6, 5), (0, 6)]),
        ([*[ANEW] * 3, *[OTHER] * 3, ANEW, OTHER, KEPT, ANEW], [(0, 1), (0, 2), (0, 2)]),
    ],
)
def test_a_statement_is_prepared_where_that_saves_something(asked: list[Any], plans: list[tuple[int, int]]) -> None:
    connection.close()
    for sql, keeps_plan in asked:
        assert prepared.run(sql, {"n": 1}, keeps_plan=keeps_plan) == [(int(sql[7]) + 1,)]
    assert known_plans() == plans


@pytest.mark.django_db(transaction=True)
def test_how_postgresql_plans_is_not_changed_by_a_transaction_whose_end_could_undo_it() -> None:
    connection.close()
    for _ in range(2):
        with suppress(KeyError), transaction.atomic():
            for sql, keeps_plan in [ANEW] * 3:
                prepared.run(sql, {"n": 1}, keeps_plan=keeps_plan)
            raise KeyError
    assert known_plans() == []
    for sql, keeps_plan in [ANEW] * 3:
        prepared.run(sql, {"n": 1}, keeps_plan=keeps_plan)
    with suppress(KeyError), transaction.atomic():
        for sql, keeps_plan in [KEPT] * 8:
            prepared.run(sql, {"n": 1}, keeps_plan=keeps_plan)
        assert known_plans() == [(3, 5), (0, 3)]
        raise KeyError
    for sql, keeps_plan in [*[KEPT] * 2, *[ANEW] * 3, *[KEPT] * 2]:
        prepared.run(sql, {"n": 1}, keeps_plan=keeps_plan)
    assert known_plans() == [(5, 7), (0, 4)]  # the end of the transaction undid it for two runs, not for others


def test_a_row_by_some_of_its_columns_knows_what_it_refers_to(make_user: Any, django_assert_num_queries: Any) -> None:
    organizer = make_user()
    event = instance(Event, ("id", "title"), (5, "Jazz"), organizer=organizer)
    with django_assert_num_queries(0):
        assert (event.pk, event.title, event.organizer, event.organizer_id) == (5, "Jazz", organizer, organizer.pk)
    assert event.get_deferred_fields() == {each.attname for each in Event._meta.concrete_fields} - {
        "id", "title", "organizer_id",
    }  # fmt: skip


def test_parameters_that_cannot_be_written_are_djangos_error(db: None) -> None:
    with CaptureQueriesContext(connection), pytest.raises(DataError), transaction.atomic():
        User.objects.filter(first_name="a\0b").exists()
