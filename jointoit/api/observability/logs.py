"""How the processes log: one JSON object a line in production, coloured lines for a developer.

Every line that belongs to a request carries its `request_id`. No line carries a query, a body, a token or a name.
"""

import json
import logging
import os
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, TextIO

import orjson
import psycopg
import structlog
from django.db import Error
from structlog.typing import ExcInfo, Processor

STANDARD_ERROR = 2  # the descriptor
SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


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


def print_readably(stream: TextIO, exc_info: ExcInfo) -> None:
    stream.write(f"\n{printed(exc_info)}")


class Lines:
    """Standard error, a line at a time; one that is closed or full is no reason to fail a request.

    By its descriptor: Celery puts something else in the place of `sys.stderr`.
    """

    lock = threading.Lock()

    def __init__(self, name: str | None = None) -> None:
        self.name = name

    def msg(self, message: bytes) -> None:
        rest = memoryview(message + b"\n")
        with suppress(OSError), self.lock:
            while rest:
                rest = rest[os.write(STANDARD_ERROR, rest) :]

    log = debug = info = warning = error = critical = msg


def renew_lock() -> None:
    """For a child that was forked while another thread wrote."""
    Lines.lock = threading.Lock()


os.register_at_fork(after_in_child=renew_lock)


def to_json(line: dict[str, Any], default: Callable[[Any], Any]) -> bytes:
    try:
        return orjson.dumps(line, default=default)
    except TypeError:  # half a character, or a number of more than 64 bits
        return json.dumps(line, default=default).encode()


def _renderers(*, readable: bool) -> list[Processor]:
    tidy: Processor = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    if readable:
        return [tidy, structlog.dev.ConsoleRenderer(pad_event_to=0, exception_formatter=print_readably)]
    return [tidy, structlog.processors.ExceptionRenderer(printed), structlog.processors.JSONRenderer()]


def _by_logging() -> dict[str, Any]:
    wrap = structlog.stdlib.ProcessorFormatter.wrap_for_formatter
    return {
        "processors": [structlog.stdlib.filter_by_level, *SHARED, wrap],
        "logger_factory": structlog.stdlib.LoggerFactory(),
        "wrapper_class": structlog.stdlib.BoundLogger,
    }


def _by_descriptor(level: str) -> dict[str, Any]:
    """A line for each request goes past the standard library, which takes three times as long over it."""
    render = structlog.processors.JSONRenderer(serializer=to_json)
    return {
        "processors": [*SHARED, structlog.processors.ExceptionRenderer(printed), render],
        "logger_factory": Lines,
        "wrapper_class": structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
    }


def configure(*, readable: bool, level: str) -> dict[str, Any]:
    """Set structlog up and return the `LOGGING` setting that brings the standard library's loggers along."""
    structlog.configure(**(_by_logging() if readable else _by_descriptor(level)), cache_logger_on_first_use=True)
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "processors": _renderers(readable=readable),
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
            # Each bell rung and each sign of life: the outbox tells what became of the mails.
            "celery.app.trace": {"level": "WARNING"},
            "celery.worker.strategy": {"level": "WARNING"},
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            "django.request": {"filters": ["has_traceback"], "level": "ERROR"},
            "django.security": {"filters": ["has_traceback"], "level": "ERROR"},
            "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
        },
    }
