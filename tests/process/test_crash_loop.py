"""Children that die again and again end their server; one that was killed does not."""

import subprocess
import sys

import pytest

FORKS = """
import os, time
from jointoit.process import crash_loop
given_up = []
crash_loop.watch(2, lambda: given_up.append(True))
for _ in range({forks}):
    if not (pid := os.fork()):
        os._exit(0)
    os.waitpid(pid, 0)
print(len(given_up))
"""


@pytest.mark.parametrize(("deaths", "given_up"), [(0, 0), (crash := 5, 0), (crash + 1, 1)])
def test_a_server_gives_up_after_one_death_too_many(deaths: int, given_up: int) -> None:
    words = [sys.executable, "-c", FORKS.format(forks=2 + deaths)]

    assert subprocess.run(words, check=True, capture_output=True, text=True).stdout == f"{given_up}\n"
