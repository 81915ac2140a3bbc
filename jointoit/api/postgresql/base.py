"""The module that Django looks for in a database backend."""

import select

from django.db.backends.postgresql import base
from psycopg.pq import TransactionStatus


class DatabaseWrapper(base.DatabaseWrapper):
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
