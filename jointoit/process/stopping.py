"""SIGTERM and SIGINT as a question that work asks between two mails, so that none is cut off in the middle."""

import os
import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stop:
    """Within `with Stop() as stop`, a signal only makes `stop()` true; afterwards it does what it would have done.

    Python delivers signals to the main thread alone, so elsewhere `stop()` stays false.
    """

    def __init__(self, *, swallow: bool = False) -> None:
        self.swallow = swallow
        self.received: int | None = None
        self.before: dict[int, Any] = {}

    def __call__(self) -> bool:
        return self.received is not None

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self.before = {number: signal.signal(number, self.note) for number in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)
        if self.received is not None and not self.swallow:
            os.kill(os.getpid(), self.received)

    def note(self, number: int, frame: FrameType | None) -> None:
        self.received = number
