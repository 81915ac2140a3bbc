"""Statements that are written once: they say what the queryset says, whatever is given and whatever stands in them."""

from typing import Any

import pytest
from django.db import connection
from django.db.models import BigAutoField, CharField, Q
from django.test.utils import CaptureQueriesContext

from jointoit.accounts.models import User
from jointoit.api.pagination import statement_of
from jointoit.api.statements import Given, Statement, is_standing, standing

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


def test_what_is_made_from_a_standing_queryset_is_not_standing() -> None:
    people = standing(User.objects.values("pk"))
    assert is_standing(people)
    assert not is_standing(people.filter(pk=1))
    assert not is_standing(people.all())


def test_pages_of_a_standing_queryset_are_written_once_for_all_keys() -> None:
    people, ordering = standing(User.objects.values("pk", "date_joined")), ("-date_joined", "-id")
    pages = [statement_of(people, ordering, 21, has_key=has_key) for has_key in (False, True, True)]
    assert pages[1] is pages[2] is not pages[0]
    assert pages[1].fields.keys() == {"date_joined", "id"}


def test_what_ran_can_be_read_with_its_values(make_user: Any) -> None:
    with CaptureQueriesContext(connection) as queries:
        Statement(User.objects.filter(username=Given("name", CharField())).values("pk")).rows(name="ada")
    assert queries.captured_queries[-1]["sql"].endswith("= ('ada')")
