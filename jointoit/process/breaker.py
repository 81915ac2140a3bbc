"""Does without a part that fails, until it works again."""

import threading
import time
from typing import Final

ERRORS_TO_OPEN: Final = 3
PAUSE: Final = 5.0  # seconds without the part after it failed; then one caller tries it again


class Breaker:
    """Keeps callers from waiting for a part that is ill: open after three errors in a row, then one probe at a time."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.errors = 0
        self.closed_until_error = True
        self.probe_at = 0.0

    def lets_through(self) -> bool:
        if self.closed_until_error:
            return True
        with self.lock:
            if time.monotonic() < self.probe_at:
                return False
            self.probe_at = time.monotonic() + PAUSE
            return True

    def succeeded(self) -> None:
        if self.errors:
            with self.lock:
                self.errors, self.closed_until_error = 0, True

    def failed(self) -> None:
        with self.lock:
            self.errors += 1
            if self.errors >= ERRORS_TO_OPEN:
                self.closed_until_error, self.probe_at = False, time.monotonic() + PAUSE
