"""A whole installation, restarted, crashed and restored. `make test` does each a few times, `make operations` often."""

import os
from collections.abc import Iterator

import pytest

from tests.operations.installation import Installation, until

LONG = os.environ.get("OPERATIONS") == "long"
#: What needs a program that no package of Python brings is for `make operations` alone, which fails without it.
collect_ignore = [] if LONG else ["test_pooler.py"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "installation" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(3600 if LONG else 900))


@pytest.fixture(scope="session")
def servers() -> Iterator[Installation]:
    installation = Installation()
    try:
        installation.manage("migrate", "-v", "0")
        installation.start("redis")
        until(installation.redis_answers)
        yield installation
    finally:
        installation.close()


@pytest.fixture
def installation(servers: Installation) -> Iterator[Installation]:
    """Database and Redis running, with empty tables; the processes are the test's to start."""
    yield servers
    servers.clean()
