"""One service, as production runs it, for all of these tests that change nothing of it."""

from collections.abc import Iterator

import pytest

from tests.contracts.scene import Scene
from tests.live import UNLIMITED, Live, production, serve


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("contracts")
    with serve(folder, **production(folder, **UNLIMITED), LOG_LEVEL="ERROR") as live:
        yield live


@pytest.fixture(scope="session")
def scene(shared: Live) -> Iterator[Scene]:
    with Scene.on(shared) as scene:
        yield scene
