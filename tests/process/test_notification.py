"""The notification costs the caller nothing, whatever has become of the broker."""

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
from jointoit.process import broker as process_broker
from jointoit.process.notification import WorkerNotification


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
    WorkerNotification(broker).send()

    assert wait_for(lambda: broker.heard == 1)


def test_rings_that_come_while_one_is_rung_become_one() -> None:
    broker = Broker()
    notification = WorkerNotification(broker)
    for _ in range(1_000):
        notification.send()
    time.sleep(0.2)

    assert 1 <= broker.heard <= 3


def test_a_dead_broker_is_left_alone_for_a_while_and_counted() -> None:
    broker = Broker()
    broker.down = True
    notification = WorkerNotification(broker, rest=0.3)
    notification.send()
    assert wait_for(lambda: notification.failures == 1)
    for _ in range(100):
        notification.send()
    assert (broker.tried, notification.failures) == (1, 1)

    broker.down = False

    assert wait_for(lambda: broker.heard == 1)


def test_a_child_process_rings_a_bell_of_its_own() -> None:
    broker = Broker()
    notification = WorkerNotification(broker)
    notification.send()
    assert wait_for(lambda: broker.heard == 1)
    notification.renew()  # what a fork does to it
    notification.send()

    assert wait_for(lambda: broker.heard == 2)


@pytest.fixture
def frozen_port() -> Iterator[int]:
    """A broker that accepts connections and then says nothing, as one that was stopped does."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_frozen_broker_does_not_slow_the_caller(frozen_port: int) -> None:
    frozen = current_app.connection_for_write(
        f"redis://127.0.0.1:{frozen_port}/0", transport_options=process_broker.BRISK
    )
    done = threading.Event()

    def publish() -> None:
        try:
            tasks.deliver_due.apply_async(**dict[str, Any](connection=frozen, retry=False))
        finally:
            done.set()

    notification = WorkerNotification(publish)
    began = time.monotonic()
    notification.send()

    assert time.monotonic() - began < 0.1
    assert done.wait(timeout=30)
    assert wait_for(lambda: notification.failures == 1)


def test_a_worker_finds_the_ring_in_its_queue() -> None:
    with Redis.from_url(settings.REDIS_URL) as redis:
        redis.delete("celery")
        tasks.publish()

        assert redis.llen("celery") == 1
        redis.delete("celery")
    process_broker.connection().release()
    process_broker.connection.cache_clear()
