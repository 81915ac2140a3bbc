"""A connection to the broker for those who must not wait for it."""

from functools import cache
from typing import Any

from celery import current_app

#: Seconds and tries. A publisher that hangs holds up nobody but its own thread, which still should come back soon.
BRISK = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5, "max_retries": 0}


@cache
def connection() -> Any:
    return current_app.connection_for_write(transport_options=BRISK)
