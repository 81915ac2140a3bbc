"""Programs side by side: the real thing, with small programs in place of the service's."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from laptop.supervisor import Program, Supervisor

WAIT = "pathlib.Path({up!r}).touch(); time.sleep(60)"
POLITE = "signal.signal(15, lambda *_: (print('bye', flush=True), sys.exit())); " + WAIT
STUBBORN = "signal.signal(15, signal.SIG_IGN); print('up', flush=True); " + WAIT
Start = Callable[..., Program]
Steps = Callable[[], Awaitable[None]]


@pytest.fixture
def program(tmp_path: Path) -> Start:
    """A program that leaves a file named `up-…` behind as soon as it is ready."""

    def build(name: str, code: str, leaves: int = 0, patience: float = 20) -> Program:
        words = "import pathlib, signal, subprocess, sys, time; " + code.replace(
            "{up!r}", repr(f"{tmp_path}/up-{name}")
        )
        return Program(name, [sys.executable, "-c", words], leaves, patience)

    return build


@pytest.fixture
def signals(tmp_path: Path) -> Callable[..., Steps]:
    """Wait until so many programs are up, then send this process each signal, half a second apart."""

    def up() -> int:
        return len(list(tmp_path.glob("up-*")))

    def after(programs: int, *numbers: int) -> Steps:
        async def send() -> None:
            while up() < programs:  # noqa: ASYNC110  other processes make the files
                await asyncio.sleep(0.01)
            for count, number in enumerate(numbers):
                asyncio.get_running_loop().call_later(count * 0.5, os.kill, os.getpid(), number)

        return send

    return after


async def nothing() -> None:
    """Stand in for the welcome."""


def run(programs: list[Program], when_started: Steps) -> int:
    async def supervise() -> int:
        return await Supervisor(programs).run(when_started)

    return asyncio.run(supervise())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_the_programs_in_order(
    number: int, program: Start, signals: Callable[..., Steps], capfd: pytest.CaptureFixture[str]
) -> None:
    programs = [program("last", POLITE, leaves=2), program("first", POLITE, leaves=1)]

    status = run(programs, signals(2, number))

    assert (status, capfd.readouterr().out) == (0, "first │ bye\nlast  │ bye\n")


@pytest.mark.parametrize("own", [0, 3])
def test_a_program_that_ends_by_itself_is_named_and_stops_the_rest(
    own: int, program: Start, capfd: pytest.CaptureFixture[str]
) -> None:
    programs = [program("web", f"raise SystemExit({own})"), program("worker", POLITE)]

    status = run(programs, nothing)

    said = capfd.readouterr().out.splitlines()
    assert (status, f"web ended by itself with status {own}; the rest is stopped." in said) == (1, True)


def test_a_program_that_does_not_stop_is_killed_with_its_children(
    program: Start, signals: Callable[..., Steps], capfd: pytest.CaptureFixture[str]
) -> None:
    child = "import pathlib, signal, time; " + STUBBORN
    parent = f"subprocess.run([sys.executable, '-c', '''{child}'''])"

    status = run([program("stubborn", parent, patience=0.2)], signals(1, signal.SIGTERM))

    assert (status, capfd.readouterr().out) == (0, "stubborn │ up\n")


def test_a_second_signal_ends_the_waiting(program: Start, signals: Callable[..., Steps]) -> None:
    stubborn = program("stubborn", STUBBORN, patience=120)

    assert run([stubborn], signals(1, signal.SIGINT, signal.SIGINT)) == 0


def test_a_line_without_end_is_left_out(program: Start, capfd: pytest.CaptureFixture[str]) -> None:
    run([program("loud", "print('x' * 3_000_000); print('after')")], nothing)

    assert capfd.readouterr().out.splitlines()[-3:] == [
        "loud │ after",
        "",
        "loud ended by itself with status 0; the rest is stopped.",
    ]


def test_what_the_programs_were_started_for_may_fail(
    program: Start, signals: Callable[..., Steps], capfd: pytest.CaptureFixture[str]
) -> None:
    async def fail() -> None:
        await signals(1)()
        raise LookupError

    with pytest.raises(LookupError):
        run([program("web", POLITE)], fail)

    assert capfd.readouterr().out == "web │ bye\n"
