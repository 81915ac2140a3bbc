"""The module that Django looks for in a database backend."""

import select
from contextlib import suppress
from typing import Any

import psycopg
from django.db.backends.postgresql import base, operations
from psycopg.pq import TransactionStatus


class DatabaseOperations(operations.DatabaseOperations):
    def last_executed_query(self, cursor: Any, sql: Any, params: Any) -> str | None:  # type: ignore[override]
        """For those who look at queries: psycopg does not keep the text of a prepared statement, our cursor of none."""
        said = super().last_executed_query(cursor, sql, params) if isinstance(cursor, psycopg.Cursor) else None
        with suppress(psycopg.Error):  # parameters that cannot be written, of which the statement itself tells
            return said or str(self.compose_sql(sql, params))
        return None


class DatabaseWrapper(base.DatabaseWrapper):
    ops_class = DatabaseOperations

    def is_usable(self) -> bool:
        """Whether the connection that this thread kept from its last request will do for the next one.

        Asked with CONN_HEALTH_CHECKS before the first query of each request, where Django itself sends `SELECT 1`. A
        connection at rest has nothing to read but the server's farewell, and the kernel knows that without asking.
        """
        if self.connection is None or self.connection.closed:
            return False
        protocol = self.connection.pgconn
        waiting = select.poll()
        waiting.register(protocol.socket, select.POLLIN)
        return protocol.transaction_status == TransactionStatus.IDLE and not waiting.poll(0)
