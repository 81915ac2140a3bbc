"""Programs side by side: the real thing, with small programs in place of the service's."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable

import pytest

from config.supervisor import Program, Supervisor

WAIT = "print('up', flush=True); time.sleep(60)"
POLITE = f"import signal, sys, time; signal.signal(15, lambda *_: (print('bye', flush=True), sys.exit())); {WAIT}"
STUBBORN = f"import signal, time; signal.signal(15, signal.SIG_IGN); {WAIT}"


def program(name: str, code: str, leaves: int = 0, patience: float = 20) -> Program:
    return Program(name, [sys.executable, "-c", code], leaves, patience)


async def nothing() -> None:
    """Stand in for the welcome."""


def signal_after(seconds: float, *numbers: int) -> Callable[[], Awaitable[None]]:
    async def send() -> None:
        for count, number in enumerate(numbers, start=1):
            asyncio.get_running_loop().call_later(count * seconds, os.kill, os.getpid(), number)

    return send


def run(programs: list[Program], when_started: Callable[[], Awaitable[None]]) -> int:
    async def supervise() -> int:
        return await Supervisor(programs).run(when_started)

    return asyncio.run(supervise())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_the_programs_in_order(number: int, capfd: pytest.CaptureFixture[str]) -> None:
    programs = [program("last", POLITE, leaves=2), program("first", POLITE, leaves=1)]

    status = run(programs, signal_after(0.5, number))

    byes = [line for line in capfd.readouterr().out.splitlines() if "bye" in line]
    assert (status, byes) == (0, ["first │ bye", "last  │ bye"])


@pytest.mark.parametrize("own", [0, 3])
def test_a_program_that_ends_by_itself_is_named_and_stops_the_rest(own: int, capfd: pytest.CaptureFixture[str]) -> None:
    programs = [program("web", f"raise SystemExit({own})"), program("worker", POLITE)]

    status = run(programs, nothing)

    said = capfd.readouterr().out.splitlines()
    assert (status, f"web ended by itself with status {own}; the rest is stopped." in said) == (1, True)


def test_a_program_that_does_not_stop_is_killed_with_its_children(capfd: pytest.CaptureFixture[str]) -> None:
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {STUBBORN!r}])"

    status = run([program("stubborn", parent, patience=0.2)], signal_after(0.7, signal.SIGTERM))

    assert (status, capfd.readouterr().out) == (0, "stubborn │ up\n")


def test_a_second_signal_ends_the_waiting() -> None:
    status = run([program("stubborn", STUBBORN, patience=60)], signal_after(0.5, signal.SIGINT, signal.SIGINT))

    assert status == 0


def test_a_line_without_end_is_left_out(capfd: pytest.CaptureFixture[str]) -> None:
    run([program("loud", "print('x' * 3_000_000); print('after')")], nothing)

    assert capfd.readouterr().out.splitlines()[-3:] == [
        "loud │ after",
        "",
        "loud ended by itself with status 0; the rest is stopped.",
    ]


def test_what_the_programs_were_started_for_may_fail(capfd: pytest.CaptureFixture[str]) -> None:
    async def fail() -> None:
        await asyncio.sleep(0.5)
        raise LookupError

    with pytest.raises(LookupError):
        run([program("web", POLITE)], fail)

    assert capfd.readouterr().out == "web │ up\nweb │ bye\n"
