"""One service, as production runs it, for all of these tests that change nothing of it."""

from collections.abc import Iterator

import pytest

from tests.contracts.scene import Scene
from tests.live import UNLIMITED, Live, production, serve


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Send all tests that share a service to one process of pytest-xdist, so that it is started once."""
    for item in items:
        names = getattr(item, "fixturenames", ())
        if "shared" in names or "live" in names:
            item.add_marker(pytest.mark.xdist_group("contracts" if "shared" in names else item.path.stem))


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("contracts")
    with serve(folder, **production(folder, **UNLIMITED), LOG_LEVEL="ERROR") as live:
        yield live


@pytest.fixture(scope="session")
def scene(shared: Live) -> Iterator[Scene]:
    with Scene.on(shared) as scene:
        yield scene
