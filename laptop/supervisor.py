"""Runs several programs side by side in one terminal, and ends them in order.

Written here rather than taken from honcho, which stops all at once, kills after 5 seconds and cannot be told to wait
longer, and counts a program that ended by itself with status 0 as a success: the web server has to finish its
requests before the workers go, and they their mail before the inbox goes.
"""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle, groupby

from jointoit.process import end_with_parent

COLOURS = (36, 33, 32, 35, 34)  # ANSI foregrounds
LONGEST_LINE = 1 << 20  # bytes


@dataclass(frozen=True, eq=False)
class Program:
    """What to run. Those with a lower `leaves` are stopped first; after `patience` seconds a program is killed."""

    name: str
    command: Sequence[str]
    leaves: int
    patience: float = 30


class Supervisor:
    """Starts the programs, relays what they write, and stops all when one ends or a person asks."""

    def __init__(self, programs: Sequence[Program]) -> None:
        self.programs = programs
        self.width = max(len(program.name) for program in programs)
        self.running: dict[Program, Process] = {}
        self.asked, self.hurried = asyncio.Event(), asyncio.Event()

    async def run(self, when_started: Callable[[], Awaitable[None]]) -> int:
        """Run until SIGINT, SIGTERM, SIGHUP (0) or until a program ends by itself (1), and leave nothing behind.

        `when_started` runs beside the programs and is given up when they end before it does. A second signal ends
        the waiting.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._ask)
        relays: list[asyncio.Task[None]] = []
        try:
            for program, colour in zip(self.programs, cycle(COLOURS), strict=False):
                relays.append(await self._start(program, colour))
            return await self._watch(when_started)
        finally:
            await self._stop()
            await asyncio.gather(*relays)

    def _ask(self) -> None:
        if self.asked.is_set():
            self.hurried.set()
        self.asked.set()

    async def _start(self, program: Program, colour: int) -> asyncio.Task[None]:
        process = await asyncio.create_subprocess_exec(
            *program.command, stdin=asyncio.subprocess.DEVNULL, stdout=PIPE, stderr=STDOUT,
            start_new_session=True, limit=LONGEST_LINE, preexec_fn=end_with_parent.follow_parent,
        )  # fmt: skip
        self.running[program] = process
        return asyncio.create_task(self._relay(program, process, colour))

    async def _relay(self, program: Program, process: Process, colour: int) -> None:
        assert process.stdout
        prefix = f"{program.name:<{self.width}} │ "
        if sys.stdout.isatty():
            prefix = f"\033[{colour}m{prefix}\033[0m"
        while True:
            try:
                line = await process.stdout.readline()
            except ValueError:  # longer than LONGEST_LINE: left out
                continue
            if not line:
                return
            say(prefix + line.decode(errors="replace").rstrip())

    async def _watch(self, when_started: Callable[[], Awaitable[None]]) -> int:
        started: asyncio.Future[object] = asyncio.ensure_future(when_started())
        asked: asyncio.Future[object] = asyncio.create_task(self.asked.wait())
        ends: dict[asyncio.Future[object], Program] = {
            asyncio.create_task(process.wait()): program for program, process in self.running.items()
        }
        try:
            done, _ = await asyncio.wait({asked, started, *ends}, return_when=asyncio.FIRST_COMPLETED)
            if started in done:
                started.result()
                done, _ = await asyncio.wait({asked, *ends}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (asked, started, *ends):
                task.cancel()
        for task in done & ends.keys():
            say(f"\n{ends[task].name} ended by itself with status {task.result()}; the rest is stopped.")
        return 0 if asked in done else 1

    async def _stop(self) -> None:
        for _, leaving in groupby(sorted(self.running, key=lambda program: program.leaves), lambda p: p.leaves):
            await asyncio.gather(*(self._end(program) for program in leaving))

    async def _end(self, program: Program) -> None:
        """Ask the program to finish, wait, and sweep away what is left of its process group."""
        process = self.running[program]
        if process.returncode is None:
            process.terminate()
            hurried, ended = asyncio.create_task(self.hurried.wait()), asyncio.create_task(process.wait())
            await asyncio.wait({hurried, ended}, timeout=program.patience, return_when=asyncio.FIRST_COMPLETED)
            hurried.cancel()
            ended.cancel()
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def say(text: str) -> None:
    """Write a line at once; a terminal that is gone is no reason to stop stopping."""
    with suppress(OSError):
        print(text, flush=True)
