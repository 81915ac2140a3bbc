"""The lines of production, as a process writes them."""

import json
import subprocess
import sys
from typing import Any

import pytest

from config.env import ROOT
from tests.servers import bare_environment

BEGIN = """
import os, sys, threading, structlog
from jointoit.api.observability import logs
logs.configure(readable=False, level=sys.argv[1])
log = structlog.get_logger("jointoit.somewhere")
"""


def lines(program: str, level: str = "INFO") -> list[dict[str, Any]]:
    """Run it in a process of its own; what it wrote to standard error."""
    words = [sys.executable, "-W", "ignore", "-c", BEGIN + program, level]
    ran = subprocess.run(words, cwd=ROOT, env=bare_environment(), capture_output=True, check=True)
    return [json.loads(line) for line in ran.stderr.splitlines()]


def test_a_line_is_an_object_with_its_origin() -> None:
    [line] = lines("log.warning('late', mail=7)")
    assert line.pop("timestamp").endswith("Z")
    assert line == {"mail": 7, "event": "late", "logger": "jointoit.somewhere", "level": "warning"}


@pytest.mark.parametrize("level", ["INFO", "WARN", "FATAL", "DEBUG"])
def test_the_level_decides(level: str) -> None:
    said = [line["event"] for line in lines("log.debug('a'); log.info('b'); log.error('c'); log.critical('d')", level)]
    assert said == {"DEBUG": [*"abcd"], "INFO": [*"bcd"], "WARN": [*"cd"], "FATAL": ["d"]}[level]


def test_it_does_not_matter_what_stands_in_the_place_of_standard_error() -> None:
    """Celery puts an object there that has neither a descriptor nor a buffer."""
    assert len(lines("import io; sys.stderr = io.StringIO(); log.info('heard')")) == 1


@pytest.mark.parametrize("end", ["os.close(2)", "end = os.pipe(); os.dup2(end[1], 2); os.close(end[0])"])
def test_a_standard_error_that_is_gone_fails_nobody(end: str) -> None:
    assert lines(f"{end}; log.info('unheard')") == []


@pytest.mark.parametrize("odd", ["chr(0xD800)", "2 ** 70", "{1: 2}", "object", "b'x'"])
def test_whatever_is_told_is_written(odd: str) -> None:
    assert [line["event"] for line in lines(f"log.info('told', odd={odd})")] == ["told"]


def test_a_fault_is_told_with_its_traceback() -> None:
    [line] = lines("try:\n    1 / 0\nexcept ZeroDivisionError:\n    log.exception('fault', size='x' * 100_000)")
    assert line["exception"].endswith("ZeroDivisionError: division by zero")
    assert len(line["size"]) == 100_000


def test_lines_of_threads_stay_whole_and_a_child_forked_meanwhile_can_write() -> None:
    """The child waits until the threads are done: nothing keeps long lines of two processes apart."""
    program = """
threads = [threading.Thread(target=lambda: [log.info('x', size='y' * 9_000) for _ in range(50)]) for _ in range(4)]
[thread.start() for thread in threads]
reader, writer = os.pipe()
if os.fork() == 0:
    os.close(writer)
    os.read(reader, 1)
    log.info('child')
    os._exit(0)
[thread.join() for thread in threads]
os.close(writer)
os.wait()
"""
    assert [line["event"] for line in lines(program)] == ["x"] * 200 + ["child"]
