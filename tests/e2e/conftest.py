import os
from collections.abc import Iterator

import pytest

from tests.e2e.service import Elsewhere, Service


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service | Elsewhere]:
    """The whole service, running; at the end it is stopped and has to leave nothing behind.

    BASE_URL and INBOX_URL name one that runs elsewhere (`make e2e`), which is left as it is.
    """
    if base := os.environ.get("BASE_URL"):
        yield Elsewhere(base.rstrip("/"), os.environ["INBOX_URL"].rstrip("/"))
        return
    # All people of all tests log in from one address, more of them in a minute than one hall would.
    rates = {"RATE_LOGIN": "1000/min", "RATE_SIGNUP": "1000/hour"}
    service = Service(tmp_path_factory.mktemp("stack"), WEBHOOK_TRUSTED_NETWORKS="127.0.0.0/8", **rates)
    service.start()
    try:
        yield service
    finally:
        status = service.stop()
    assert (status, service.left_behind()) == (0, []), service.said()
