"""The lines of production, as a process writes them."""

import ast
import json
import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from config.env import ROOT
from jointoit.api.observability import logs
from tests.servers import bare_environment

BEGIN = """
import os, sys, structlog
from jointoit.api.observability import logs
logs.configure(readable=False, level=sys.argv[1])
logs.write_directly(sys.argv[1])
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


@pytest.mark.parametrize("end", ["os.close(2)", "end = os.pipe(); os.dup2(end[1], 2); os.close(end[0])"])
def test_a_standard_error_that_is_gone_fails_nobody(end: str) -> None:
    assert lines(f"{end}; log.info('unheard'); os._exit(0)") == []


@pytest.mark.parametrize("odd", ["chr(0xD800)", "2 ** 70", "{1: 2}", "object", "b'x'"])
def test_whatever_is_told_is_written(odd: str) -> None:
    assert [line["event"] for line in lines(f"log.info('told', odd={odd})")] == ["told"]


def test_a_fault_is_told_with_its_traceback() -> None:
    [line] = lines("try:\n    1 / 0\nexcept ZeroDivisionError:\n    log.exception('fault', size='x' * 100_000)")
    assert line["exception"].endswith("ZeroDivisionError: division by zero")
    assert len(line["size"]) == 100_000


def formatted(*, readable: bool, **line: object) -> str:
    """The line that the configured handler writes."""
    config = logs.configure(readable=readable, level="INFO")["formatters"]["structlog"]
    formatter = config.pop("()")(**config)
    try:
        raise RuntimeError("why")
    except RuntimeError as error:
        fault = None if line else (RuntimeError, error, error.__traceback__)
    record = logging.LogRecord("third.party", 30, "", 1, line or "It %s.", None if line else ("broke",), fault)
    if line:
        record._logger, record._name = logging.getLogger(), "info"  # as structlog leaves it
    return str(formatter.format(record))


def test_a_line_of_the_standard_library_is_a_json_object_too() -> None:
    line = json.loads(formatted(readable=False))
    assert (line["event"], line["level"], line["logger"]) == ("It broke.", "warning", "third.party")
    assert line["exception"].endswith("RuntimeError: why")


def test_a_developer_reads_one_short_line_for_a_request() -> None:
    line = formatted(
        readable=True, event="request", timestamp="2030-05-17T18:04:02.123456Z", method="GET", route="none", status=404,
        path="/evnts/?title=a", milliseconds=4.1, user_id=7, request_id="3f0f9d0e-8b0c-4f0e-9d5e-2a1d6f6f7a10",
    )  # fmt: skip
    assert re.sub(r"\x1b\[[0-9;]*m", "", line) == "18:04:02 404 GET /evnts/?title=a 4.1 ms user 7"


def test_a_developer_reads_a_fault_as_it_is() -> None:
    assert "RuntimeError: why" in formatted(readable=True)


@pytest.mark.parametrize(("variables", "is_readable"), [({"FORCE_COLOR": "1"}, True), ({}, False)])
def test_lines_are_coloured_where_a_terminal_shows_them(variables: dict[str, str], *, is_readable: bool) -> None:
    """Standard error is a pipe here, as it is under a supervisor or in a file."""
    words = [sys.executable, "-c", "from config import settings; print(settings.READABLE_LOGS)"]
    environment = bare_environment(DEBUG="true", **variables)
    said = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
    assert said.strip() == str(is_readable)


LEVELS = ("warning", "error", "exception", "critical")


def warnings_of(source: str) -> Iterator[ast.Call]:
    """Calls such as `log.warning("name_of_what_happened", …)`; a sentence tells by itself."""
    for call in ast.walk(ast.parse(source)):
        if isinstance(call, ast.Call) and ast.unparse(call.func) in {f"log.{level}" for level in LEVELS}:
            first = call.args[0]
            if not (isinstance(first, ast.Constant) and " " in str(first.value)):
                yield call


def test_every_warning_says_what_to_do_next() -> None:
    found = {
        f"{file.name}:{call.lineno}": [word.arg for word in call.keywords]
        for file in (ROOT / "jointoit").rglob("*.py")
        for call in warnings_of(file.read_text())
    }
    assert len(found) > 20
    assert [place for place, words in found.items() if "hint" not in words] == []
