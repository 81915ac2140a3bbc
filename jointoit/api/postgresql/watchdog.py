"""Cuts connections on which a server owes an answer that will not come.

The kernel of a machine whose PostgreSQL is frozen (stopped, paused, swapped out) acknowledges every packet, so TCP
never gives up, and `statement_timeout` is counted by the very server that is frozen. A thread of each process that
serves asks the kernel now and then how long each of its connections has heard nothing, and shuts the socket of one that
has waited too long: whoever waits there gets the OperationalError of a lost connection.

What was received last counts, so a stream of a million rows is measured between two rows. It costs a request nothing.
On Linux, over TCP; a local socket has no such clock, and a server on the same machine is frozen with us.
"""

import os
import socket
import struct
import threading
import time
from typing import Any, Final
from weakref import WeakKeyDictionary

import psycopg
import structlog
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from psycopg.errors import ConnectionTimeout
from psycopg.pq import TransactionStatus

log = structlog.get_logger(__name__)

EVERY: Final = 1.0  # seconds between two looks
#: After so long the server is asked to greet a new connection: one that does not is frozen.
SUSPICIOUS: Final = 4.0
#: After so long it does not matter what it greets: statement_timeout would have ended whatever it does.
LONGEST: Final = 40.0
#: linux/tcp.h: the members of tcp_info before tcpi_last_ack_recv; two of them are milliseconds since data came or went.
TCP_INFO: Final = struct.Struct("=8B12I")
LAST_DATA_SENT, LAST_DATA_RECEIVED = 8 + 9, 8 + 11

watched: WeakKeyDictionary[psycopg.Connection[Any], str] = WeakKeyDictionary()


def begin() -> None:
    """Watch the connections of this process; to be called once, in a process that serves and will not fork."""
    if hasattr(socket, "TCP_INFO"):
        connection_created.connect(watch)
        threading.Thread(target=keep_looking, name="watchdog", daemon=True).start()


def watch(connection: BaseDatabaseWrapper, **_: Any) -> None:
    watched[connection.connection] = connection.alias


def keep_looking() -> None:
    while True:
        time.sleep(EVERY)
        look()


def look() -> None:
    """Cut what waits in vain."""
    waiting = [(one, alias, silence(one)) for one, alias in list(watched.items())]
    frozen = {alias for alias in {alias for _, alias, quiet in waiting if quiet > SUSPICIOUS} if is_frozen(alias)}
    for connection, alias, _ in waiting:
        quiet = silence(connection)  # an answer may have come meanwhile
        if quiet > (SUSPICIOUS if alias in frozen else LONGEST):
            info, seconds = connection.info, round(quiet, 1)
            log.warning(
                "database_frozen",
                host=info.host,
                port=info.port,
                seconds=seconds,
                hint="Look at the database and the way to it; the connection was cut.",
            )
            cut(connection)


def silence(connection: psycopg.Connection[Any]) -> float:
    """The seconds for which the server has owed an answer; 0.0 where it owes none, or nobody can tell."""
    own = socket_of(connection)
    if own is None:
        return 0.0
    with own:
        if own.family == socket.AF_UNIX:
            return 0.0
        info = TCP_INFO.unpack_from(own.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO.size))
    owes = connection.info.transaction_status is TransactionStatus.ACTIVE
    return min(info[LAST_DATA_SENT], info[LAST_DATA_RECEIVED]) / 1000 if owes else 0.0


def cut(connection: psycopg.Connection[Any]) -> None:
    if own := socket_of(connection):
        with own:
            own.shutdown(socket.SHUT_RDWR)


def socket_of(connection: psycopg.Connection[Any]) -> socket.socket | None:
    """A second handle on the connection's socket; None where it is closed, or was while we looked."""
    try:
        own = socket.socket(fileno=os.dup(connection.fileno()))
    except (psycopg.Error, OSError):
        return None
    if connection.closed:  # its number may be somebody else's by now
        own.close()
        return None
    return own


def is_frozen(alias: str) -> bool:
    """Whether the server takes a connection and never greets it. One that refuses is alive, or gone: TCP tells."""
    try:
        psycopg.connect(**connections[alias].get_connection_params()).close()
    except ConnectionTimeout:
        return True
    except psycopg.Error:
        return False
    return False
