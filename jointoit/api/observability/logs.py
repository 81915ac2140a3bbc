"""How the processes log: one JSON object a line; short coloured lines on a developer's terminal.

Every line that belongs to a request carries its `request_id`. No line carries a query, a body, a token or a name; a
developer's terminal shows paths as well.
"""

import json
import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import suppress
from typing import Any, TextIO

import orjson
import psycopg
import structlog
from django.db import Error
from structlog.typing import ExcInfo, Processor

SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)
GREEN, YELLOW, RED, DIM, PLAIN = "\x1b[32m", "\x1b[33m", "\x1b[31m", "\x1b[2m", "\x1b[0m"


def is_terminal() -> bool:
    """Whether a person reads along; FORCE_COLOR is how a program says so that passes our lines on to a terminal."""
    return sys.stderr.isatty() or bool(os.environ.get("FORCE_COLOR"))


def has_traceback(record: logging.LogRecord) -> bool:
    """Of what Django says about requests only the faults: our own line for each request tells the rest."""
    return record.exc_info is not None


def causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def printed(exc_info: ExcInfo) -> str:
    """The traceback, with the first line alone of what PostgreSQL says: the others show rows and statements."""
    text = "".join(traceback.format_exception(*exc_info)).rstrip("\n")
    for said in {str(error) for error in causes(exc_info[1]) if isinstance(error, Error | psycopg.Error)}:
        text = text.replace(said, said.partition("\n")[0])
    return text


# ── For a developer ───────────────────────────────────────────────────────────────────────────────────────────────────


def print_readably(stream: TextIO, exc_info: ExcInfo) -> None:
    stream.write(f"\n{printed(exc_info)}")


def short(line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Without what a person at a terminal does not read: names of modules, ids, the date."""
    for name in ("logger", "request_id", "level"):
        line.pop(name, None)
    line["timestamp"] = str(line.get("timestamp", ""))[11:19]
    return line


def request_line(line: MutableMapping[str, Any]) -> str:
    """Such as `18:04:02 200 GET /events/?title=a 4.1 ms user 7`."""
    status = int(line["status"])
    colour = GREEN if status < 400 else YELLOW if status < 500 else RED
    who = f" user {line['user_id']}" if line.get("user_id") else ""
    said = f"{line['method']} {line['path']} {DIM}{line['milliseconds']} ms{who}{PLAIN}"
    return f"{DIM}{line['timestamp']}{PLAIN} {colour}{status}{PLAIN} {said}"


class ReadableRenderer:
    def __init__(self) -> None:
        self.others = structlog.dev.ConsoleRenderer(pad_event_to=0, exception_formatter=print_readably, colors=True)

    def __call__(self, logger: Any, name: str, line: MutableMapping[str, Any]) -> str:
        is_request = line.get("event") == "request" and "path" in line
        return request_line(short(line)) if is_request else str(self.others(logger, name, short(line)))


# ── For programs ──────────────────────────────────────────────────────────────────────────────────────────────────────


def to_json(line: dict[str, Any], default: Callable[[Any], Any]) -> bytes:
    try:
        return orjson.dumps(line, default=default)
    except TypeError:  # half a character, or a number of more than 64 bits
        return json.dumps(line, default=default).encode()


class Lines(structlog.BytesLogger):
    """Standard error; one that is closed or full is no reason to fail a request."""

    def msg(self, message: bytes) -> None:
        with suppress(OSError, ValueError):
            super().msg(message)

    log = debug = info = warning = error = critical = msg


def write_directly(level: str) -> None:
    """Write lines past the standard library, which takes three times as long over each.

    structlog's documented fast setup, for web processes: they do not fork, which would copy a lock that is held.
    """
    file = sys.stderr.buffer
    structlog.configure(
        processors=[
            *SHARED,
            structlog.processors.ExceptionRenderer(printed),
            structlog.processors.JSONRenderer(serializer=to_json),
        ],
        logger_factory=lambda *names: Lines(file, name=names[0] if names else None),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        cache_logger_on_first_use=True,
    )


# ── Setting up ────────────────────────────────────────────────────────────────────────────────────────────────────────


def renderers(*, readable: bool) -> list[Processor]:
    tidy: Processor = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    if readable:
        return [tidy, ReadableRenderer()]
    return [tidy, structlog.processors.ExceptionRenderer(printed), structlog.processors.JSONRenderer()]


def configure(*, readable: bool, level: str) -> dict[str, Any]:
    """Set structlog up and return the `LOGGING` setting that brings the standard library's loggers along."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "processors": renderers(readable=readable),
        "foreign_pre_chain": SHARED,
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"has_traceback": {"()": "django.utils.log.CallbackFilter", "callback": has_traceback}},
        "formatters": {"structlog": formatter},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structlog"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Each task and each sign of life: the outbox tells what became of the mails.
            "celery.app.trace": {"level": "WARNING"},
            "celery.worker.strategy": {"level": "WARNING"},
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            "django.request": {"filters": ["has_traceback"], "level": "ERROR"},
            "django.security": {"filters": ["has_traceback"], "level": "ERROR"},
            "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
        },
    }
