"""The bell costs the caller nothing, whatever has become of the broker."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from celery import current_app
from django.conf import settings
from redis import Redis

from jointoit.mail import tasks
from jointoit.mail.bell import Bell


class Broker:
    """Counts the rings; fails while it is down."""

    def __init__(self) -> None:
        self.heard = 0
        self.tried = 0
        self.down = False

    def __call__(self) -> None:
        self.tried += 1
        if self.down:
            raise ConnectionError
        self.heard += 1


def wait_for(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 5
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


def test_a_ring_is_heard() -> None:
    broker = Broker()
    Bell(broker).ring()

    assert wait_for(lambda: broker.heard == 1)


def test_rings_that_come_while_one_is_rung_become_one() -> None:
    broker = Broker()
    bell = Bell(broker)
    for _ in range(1_000):
        bell.ring()
    time.sleep(0.2)

    assert 1 <= broker.heard <= 3


def test_a_dead_broker_is_left_alone_for_a_while_and_counted() -> None:
    broker = Broker()
    broker.down = True
    bell = Bell(broker, rest=0.3)
    bell.ring()
    assert wait_for(lambda: bell.failures == 1)
    for _ in range(100):
        bell.ring()
    assert (broker.tried, bell.failures) == (1, 1)

    broker.down = False

    assert wait_for(lambda: broker.heard == 1)


def test_a_child_process_rings_a_bell_of_its_own() -> None:
    broker = Broker()
    bell = Bell(broker)
    bell.ring()
    assert wait_for(lambda: broker.heard == 1)
    bell.renew()  # what a fork does to it
    bell.ring()

    assert wait_for(lambda: broker.heard == 2)


@pytest.fixture
def frozen_port() -> Iterator[int]:
    """A broker that accepts connections and then says nothing, as one that was stopped does."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_frozen_broker_does_not_slow_the_caller(frozen_port: int) -> None:
    frozen = current_app.connection_for_write(f"redis://127.0.0.1:{frozen_port}/0", transport_options=tasks.BRISK)
    done = threading.Event()

    def publish() -> None:
        try:
            tasks.deliver_due.apply_async(**dict[str, Any](connection=frozen, retry=False))
        finally:
            done.set()

    bell = Bell(publish)
    began = time.monotonic()
    bell.ring()

    assert time.monotonic() - began < 0.1
    assert done.wait(timeout=30)
    assert wait_for(lambda: bell.failures == 1)


def test_a_worker_finds_the_ring_in_its_queue() -> None:
    with Redis.from_url(settings.REDIS_URL) as redis:
        redis.delete("celery")
        tasks.publish()

        assert redis.llen("celery") == 1
        redis.delete("celery")
    tasks.broker().release()
    tasks.broker.cache_clear()
