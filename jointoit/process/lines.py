"""One JSON object a line for a process that loads neither Django nor structlog: granian's main process.

Named in `granian.json`, which granian reads (--log-config).
"""

import json
import logging
from datetime import UTC, datetime


class JsonFormatter(logging.Formatter):
    """The members that `jointoit.api.observability.logs` gives its lines."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "event": record.getMessage(),
            "logger": record.name,
            "level": record.levelname.lower(),
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z"),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)
