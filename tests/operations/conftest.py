import os
from collections.abc import Iterator

import pytest

from tests.operations.installation import Installation, until

#: `make operations` runs everything at full length.
LONG = os.environ.get("OPERATIONS") == "long"
#: Each passes by itself; all in a row are not part of `make test` until they have been seen to end in time.
collect_ignore_glob = [] if os.environ.get("OPERATIONS") else ["test_*.py"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All in one process of pytest-xdist: several whole installations side by side would only measure each other."""
    for item in items:
        if "installation" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("operations"))


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
    servers.mail.received.clear()
    yield servers
    for part in [part for part in servers.running if part != "redis"]:
        servers.stop(part)
    tables = "TRUNCATE events_event, accounts_user, mail_outboxmail, mail_mailgate CASCADE"
    servers.manage("shell", "-v", "0", "-c", f"from django.db import connection as c; c.cursor().execute('{tables}')")
