"""Obeys a SIGINT that was sent to `make` alone, as an editor or `kill -INT` does.

make then waits for its recipe, without a word to it. What the recipe can see is that make does not catch the signal any
more, for a second one is to kill it (GNU make, commands.c). On Linux; elsewhere nothing happens.
"""

import asyncio
import os
import re
import signal
from pathlib import Path
from typing import Final

EVERY: Final = 0.3  # seconds


async def obey() -> None:
    """Send this process the SIGINT that its make got; returns at once where no make started it."""
    process = Path("/proc", str(os.getppid()))
    if not catches_interrupt(process):
        return
    while catches_interrupt(process):  # noqa: ASYNC110  another process's business
        await asyncio.sleep(EVERY)
    os.kill(os.getpid(), signal.SIGINT)


def catches_interrupt(process: Path) -> bool:
    """Whether it is a make that is still waiting for its recipe, nothing having been asked of it."""
    try:
        status = (process / "status").read_text()
    except OSError:
        return False
    caught = re.search(r"^SigCgt:\s*([0-9a-f]+)$", status, re.MULTILINE)
    return bool(status.startswith("Name:\tmake\n") and caught and int(caught[1], 16) & 1 << (signal.SIGINT - 1))
