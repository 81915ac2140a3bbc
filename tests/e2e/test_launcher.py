"""`make run` from start to stop, with real processes; how it ends badly in every way, in `make operations`."""

import os
import signal
from pathlib import Path

import httpx
import pytest

from laptop import valkey
from laptop.maildev import why_not
from tests.e2e.service import Service

LONG = os.environ.get("OPERATIONS") == "long"
#: One start after the other takes long, and what is tried is proved closer by.
supervised = pytest.mark.skipif(not LONG, reason="In short: tests/laptop/test_supervisor.py, test_stack.py.")


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return Service(tmp_path)


def sign_up(service: Service) -> int:
    account = {"username": "ada", "email": "ada@example.org", "password": "correct horse battery 9"}
    return httpx.post(f"{service.api}/users/register/", json=account, timeout=30).status_code


def test_it_says_where_to_go_stops_cleanly_and_finds_its_data_again(service: Service) -> None:
    service.start()
    screen = service.said()
    shown = [f"{service.api}/", f"{service.api}/api/docs/", f"{service.inbox}/", f"{service.api}/admin/"]
    pages = [
        httpx.get(address, headers={"Accept": "text/html"}, follow_redirects=True, timeout=30) for address in shown
    ]
    created = sign_up(service)
    first = (service.stop(signal.SIGINT), service.left_behind())

    service.start()
    again = sign_up(service)
    second = (service.stop(signal.SIGTERM), service.left_behind())

    assert [(address in screen, page.status_code) for address, page in zip(shown, pages, strict=True)] == [
        (True, 200)
    ] * 4
    assert ("MailDev" in pages[2].text) == (why_not() == "")
    assert (created, again) == (201, 400)
    assert (first, second) == ((0, []), (0, []))


@supervised
def test_a_program_that_dies_is_named_and_takes_the_rest_along(service: Service) -> None:
    service.start()

    os.kill(service.program("celery --quiet"), signal.SIGKILL)
    status = service.process.wait(timeout=60)

    assert (status, service.left_behind()) == (1, [])
    assert "worker ended by itself with status -9; the rest is stopped." in service.said()


@pytest.mark.parametrize("server", ["Valkey", "PostgreSQL"] if LONG else ["Valkey"])
def test_a_server_that_dies_is_named_and_takes_the_rest_along(service: Service, server: str) -> None:
    service.start()

    if server == "Valkey":
        valkey.client(service.valkey).shutdown(nosave=True)
    else:
        [pid] = (service.folder / "data" / "postgres").rglob("postmaster.pid")
        os.kill(int(pid.read_text().splitlines()[0]), signal.SIGQUIT)
    status = service.process.wait(timeout=90)

    assert (status, service.left_behind()) == (1, [])
    assert f"{server} does not answer any more; the rest is stopped." in service.said()


@supervised
def test_killed_itself_it_leaves_nobody_in_the_way_of_the_next_start(service: Service) -> None:
    service.start()
    service.stop(signal.SIGKILL)
    service.wait_until_ports_are_free()

    service.start()
    assert (service.stop(), service.left_behind()) == (0, [])


def test_mails_are_shown_without_node_as_well(tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "setpriv", "ps"):  # everything but Node.js
        found = next((Path(place) / name for place in os.get_exec_path() if (Path(place) / name).exists()), None)
        if found:
            (tools / name).symlink_to(found)
    service = Service(tmp_path, PATH=str(tools))
    service.start()
    healthy = httpx.get(f"{service.inbox}/api/healthz").json()

    assert (service.stop(), healthy) == (0, True)
    assert "Node.js and npm are not installed, so a plain Python inbox stands in for MailDev" in service.said()
