"""Who looks whether worker and sweeper live sees whether they work."""

import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from config.env import ROOT
from jointoit.process import broker, heartbeat, periodic, worker_heartbeat
from tests.servers import bare_environment


@pytest.fixture
def file(tmp_path: Path, settings: Any) -> Path:
    settings.HEARTBEAT = str(tmp_path / "alive")
    return tmp_path / "alive"


def verdict(file: Path) -> int:
    """What a container's health check would find."""
    words = [sys.executable, "-m", "jointoit.process.heartbeat"]
    return subprocess.run(words, cwd=ROOT, env=bare_environment(HEARTBEAT=str(file)), check=False).returncode


def test_who_works_is_alive_and_who_stopped_working_is_not(file: Path) -> None:
    never = verdict(file)
    heartbeat.beat(str(file))
    just_now = verdict(file)
    os.utime(file, (0, time.time() - heartbeat.LONGEST - 1))

    assert (never, just_now, verdict(file)) == (1, 0, 1)


@pytest.mark.django_db(transaction=True)
def test_each_round_of_a_sweeper_is_a_sign_of_life(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(periodic, "beside", {})
    rounds = iter([False, True, True, True])

    periodic.run(stop=lambda: next(rounds, True))

    assert verdict(file) == 0


def test_the_task_that_a_worker_sends_itself_is_a_sign_of_life(file: Path) -> None:
    worker_heartbeat.beat()

    assert verdict(file) == 0


def test_a_worker_without_broker_has_nothing_to_do_and_lives(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise ConnectionError

    monkeypatch.setattr(broker, "connection", away)
    worker_heartbeat.ask("celery@here")

    assert verdict(file) == 0


def test_nobody_who_is_not_told_to_leaves_files(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.HEARTBEAT = ""
    monkeypatch.setattr(Path, "touch", None)

    worker_heartbeat.beat()


def test_what_goes_on_beside_the_chores_begins_again_when_it_fails_and_ends_with_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun: list[bool] = []

    def work(stop: periodic.StopAsked) -> None:
        begun.append(True)
        assert len(begun) > 1, "fails at first"

    monkeypatch.setattr(periodic, "beside", {"work": work})
    monkeypatch.setattr(periodic, "chores", [])
    monkeypatch.setattr(periodic, "ROUND", timedelta(milliseconds=5))
    monkeypatch.setattr(periodic, "close_old_connections", lambda: None)

    periodic.run(stop=lambda: len(begun) >= 2)

    assert len(begun) == 2
