"""`make test` runs short forms; `make races-long` sets RACE_SCALE=10."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from jointoit.errors import DomainError

SCALE = int(os.environ.get("RACE_SCALE", "1"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long forms take minutes."""
    for item in items:
        if SCALE > 1 and "/races/" in str(item.path):
            item.add_marker(pytest.mark.timeout(1200))


@pytest.fixture
def race() -> Callable[[Sequence[Callable[[], Any]]], list[Any]]:
    """Start all calls at the same moment, each on a connection of its own; return what each answered or was refused."""

    def race(calls: Sequence[Callable[[], Any]]) -> list[Any]:
        start = Barrier(len(calls))

        def run(call: Callable[[], Any]) -> Any:
            try:
                connection.ensure_connection()
                start.wait(timeout=30)
                return call()
            except DomainError as refusal:
                return refusal
            finally:
                connection.close()

        with ThreadPoolExecutor(len(calls)) as pool:
            return list(pool.map(run, calls))

    return race
