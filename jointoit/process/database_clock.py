"""The clock of the database, by which the processes of all machines agree when a lease is over and what is due.

Clocks of machines drift apart, and minutes apart two senders would both hold the lease of one mail.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import connection

Clock = Callable[[], datetime]


def start() -> Clock:
    """Ask the database once and count on from there: for work of a few minutes, in which clocks do not drift."""
    asked_at, moment = time.monotonic(), now()
    return lambda: moment + timedelta(seconds=time.monotonic() - asked_at)


def now() -> datetime:
    """What time it is there, whatever transaction is open."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (moment,) = cursor.fetchone()
    assert isinstance(moment, datetime)
    return moment
