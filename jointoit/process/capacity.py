"""How many processes this machine bears, or the container through which it is seen.

A container sees all cores of its machine and all of its memory; what it may use of them stands in its control group
(cgroups(7), version 2 or 1). More processes than that wait for each other, or are killed for want of memory.
"""

import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MIB: Final = 1024 * 1024
#: What one process takes at most, measured: a web process while it hashes passwords, a worker process while it sends.
WEB_PROCESS: Final = 160 * MIB
WORKER_PROCESS: Final = 96 * MIB
MAIN_PROCESS: Final = 96 * MIB  # the one that starts them


@dataclass(frozen=True)
class Choice:
    """How many processes, and the sentence that tells an operator why."""

    processes: int
    because: str


@dataclass(frozen=True)
class Capacity:
    """`cpus` and `memory` (bytes) that this process may use."""

    cpus: float
    memory: int

    def choose(self, *, given: int, variable: str, each: int, least: int = 1) -> Choice:
        """As many processes as there are CPUs, `least` in any case, and no more than fit, `each` in so many bytes."""
        if given:
            return Choice(given, f"{variable} says so")
        wanted = max(least, math.ceil(self.cpus))
        fit = max(1, (self.memory - MAIN_PROCESS) // each)
        room = f"{self.memory // MIB} MiB of memory hold {fit} of {each // MIB} MiB"
        return Choice(min(wanted, fit), f"{self.cpus:g} CPUs, {room}; {variable} would say otherwise")


def measure(root: Path = Path("/")) -> Capacity:
    """Look at the machine and at the control group, whose files lie under `root`."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    own = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Capacity(min([own, *limits(root, "cpu", cpu_limit)]), int(min([machine, *limits(root, "memory", memory)])))


def limits(root: Path, controller: str, read: Callable[[Path], float]) -> Iterator[float]:
    """Of this process's group and of all above it: the least of them holds."""
    for folder in groups(root, controller):
        try:
            yield read(folder)
        except (OSError, ValueError):  # unlimited, of the other version, or not there
            continue


def groups(root: Path, controller: str) -> Iterator[Path]:
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:  # not Linux
        return
    for line in lines:
        number, names, path = line.split(":", 2)
        if number == "0" or controller in names.split(","):
            mounted = root / "sys/fs/cgroup" / ("" if number == "0" else controller)
            own = Path(path.lstrip("/"))
            yield from (mounted / folder for folder in (own, *own.parents))


def cpu_limit(folder: Path) -> float:
    """CPUs; raises ValueError where there is no limit."""
    if (folder / "cpu.max").exists():
        quota, period = (folder / "cpu.max").read_text().split()
    else:
        quota, period = ((folder / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
    if int(quota) <= 0:
        raise ValueError(quota)
    return int(quota) / int(period)


def memory(folder: Path) -> float:
    """Bytes; raises ValueError where there is no limit."""
    v2 = folder / "memory.max"
    return int((v2 if v2.exists() else folder / "memory.limit_in_bytes").read_text())
