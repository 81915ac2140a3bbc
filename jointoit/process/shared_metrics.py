"""Where the processes of one server add up what they count (prometheus_client's multiprocess mode)."""

import os
import tempfile
from typing import Final

FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"


def share() -> None:
    """Let the processes that this one is about to become add up what they count."""
    os.environ.setdefault(FOLDER, tempfile.mkdtemp(prefix="jointoit-metrics-"))
