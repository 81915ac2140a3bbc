"""Connections that threads keep between requests."""

import psycopg
import pytest
from django.db import connection

from jointoit.api import database

pytestmark = pytest.mark.django_db(transaction=True)


def end_from_outside(pid: int) -> None:
    """As a restarted PostgreSQL does; back when the server has closed the connection."""
    wanted = connection.get_connection_params() | {"autocommit": True}
    with psycopg.connect(**{name: value for name, value in wanted.items() if name != "context"}) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


def test_a_connection_at_rest_is_kept() -> None:
    connection.ensure_connection()
    assert connection.is_usable()


def test_a_connection_that_the_server_ended_is_replaced_before_the_next_request() -> None:
    connection.ensure_connection()
    ended = connection.connection.info.backend_pid
    end_from_outside(ended)
    connection.close_if_unusable_or_obsolete()  # as when a request begins
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        assert cursor.fetchone() != (ended,)


def test_a_connection_left_inside_of_a_transaction_is_not_reused() -> None:
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
    assert not connection.is_usable()
    connection.close()
    assert not connection.is_usable()


def test_the_metrics_count_connections_against_their_limit() -> None:
    [family] = database.connections_by_state()
    states = {sample.labels["state"]: sample.value for sample in family.samples}
    assert states["active"] >= 1
    assert states["limit"] > sum(states.values()) - states["limit"]
