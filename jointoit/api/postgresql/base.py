"""The module that Django looks for in a database backend."""

import select
import time
from typing import Any, Final

import psycopg
from django.db.backends.postgresql import base, operations

from jointoit.process.breaker import Breaker

SLOW: Final = 1.0  # seconds; a server that is there says no sooner
#: By alias, of this process.
breakers: dict[str, Breaker] = {}


class DatabaseOperations(operations.DatabaseOperations):
    def last_executed_query(self, cursor: Any, sql: Any, params: Any) -> str | None:  # type: ignore[override]
        """For those who look at queries: where PostgreSQL binds the values, psycopg does not keep a text with them."""
        if isinstance(cursor, psycopg.ClientCursor):
            return super().last_executed_query(cursor, sql, params)
        return str(self.compose_sql(sql, params))


class DatabaseWrapper(base.DatabaseWrapper):
    ops_class = DatabaseOperations

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Where a server lets everybody wait, and then does not answer, one thread at a time tries; the others know.

        With four threads that wait five seconds each, the twentieth request would be told so after half a minute.
        """
        breaker = breakers.setdefault(self.alias, Breaker())
        if not breaker.lets_through():
            raise psycopg.OperationalError("The server did not answer others a moment ago.")
        started = time.monotonic()
        try:
            connection = super().get_new_connection(conn_params)
        except psycopg.OperationalError:
            if time.monotonic() - started > SLOW:
                breaker.failed()
            raise
        breaker.succeeded()
        return connection

    def is_usable(self) -> bool:
        """Whether the connection that this thread kept from its last request will do for the next one.

        Asked with CONN_HEALTH_CHECKS before the first query of each request, where Django itself sends `SELECT 1`: 62
        of 400 µs that a list takes. A connection at rest has nothing to read but the server's farewell, and the kernel
        knows that without asking.
        """
        connection = self.connection
        if connection is None or connection.closed or connection.info.transaction_status.name != "IDLE":
            return False
        waiting = select.poll()
        waiting.register(connection.fileno(), select.POLLIN)
        return not waiting.poll(0)
