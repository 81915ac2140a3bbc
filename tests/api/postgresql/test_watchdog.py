"""A server that is frozen, or whose packets are dropped, owes an answer that does not come: the connection is cut."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import psycopg
import pytest
from django.db import connection
from psycopg.conninfo import make_conninfo

from jointoit.api.postgresql import watchdog


class Line:
    """Passes bytes to PostgreSQL and back over TCP, until it is frozen: then it takes everything and says nothing."""

    def __init__(self, socket_path: str) -> None:
        self.path, self.frozen = socket_path, False
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        while True:
            try:
                client, _ = self.listening.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self.path)
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=self.carry, args=(source, target), daemon=True).start()

    def carry(self, source: socket.socket, target: socket.socket) -> None:
        while data := source.recv(65536):
            if not self.frozen:
                target.sendall(data)
        with suppress(OSError):  # the other side may have ended first
            target.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def line() -> Iterator[Line]:
    host = connection.settings_dict["HOST"]
    found = Line(f"{host}/.s.PGSQL.{connection.settings_dict['PORT'] or 5432}")
    yield found
    found.listening.close()


@pytest.fixture
def connected(line: Line, db: None) -> Iterator[psycopg.Connection[Any]]:
    params: dict[str, Any] = connection.get_connection_params()
    place = make_conninfo(host="127.0.0.1", port=line.port, dbname=params["dbname"], user=params["user"])
    with psycopg.connect(place, autocommit=True) as found:
        yield found


def ask(connected: psycopg.Connection[Any], found: list[str]) -> None:
    try:
        connected.execute("SELECT pg_sleep(1)")
        found.append("answered")
    except psycopg.OperationalError as error:
        found.append(type(error).__name__)


@pytest.mark.parametrize(("frozen", "becomes"), [(True, "OperationalError"), (False, "answered")])
def test_who_waits_for_a_frozen_server_is_told_and_who_waits_for_a_slow_one_is_not(
    line: Line, connected: psycopg.Connection[Any], frozen: bool, becomes: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "SUSPICIOUS", 0.2)
    monkeypatch.setattr(watchdog, "is_frozen", lambda alias: frozen)
    monkeypatch.setitem(watchdog.watched, connected, "default")
    line.frozen, found = frozen, list[str]()
    waiting = threading.Thread(target=ask, args=(connected, found))
    waiting.start()

    for _ in range(30):
        waiting.join(timeout=0.1)
        watchdog.look()
    waiting.join(timeout=20)

    assert found == [becomes]


def test_a_connection_at_rest_owes_nothing(connected: psycopg.Connection[Any]) -> None:
    assert watchdog.silence(connected) == 0.0
    connected.close()
    assert watchdog.silence(connected) == 0.0
