"""How much a server works: the processor time of its processes, whatever else the machine does (Linux)."""

import os
import time
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def spent(*pids: int) -> float:
    """Seconds of processor time of these processes and all below them, ended ones included."""
    return sum(below(pid) for pid in pids)


def below(pid: int) -> float:
    try:
        own = time.clock_gettime(clock_of(pid))
        stat = Path(f"/proc/{pid}/stat").read_text()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:  # it ended just now; its parent has its time
        return 0.0
    waited_for = stat.rpartition(")")[2].split()[13:15]  # user and system time of children that ended
    return own + sum(map(int, waited_for)) / TICK + sum(below(int(child)) for child in children)


def clock_of(pid: int) -> int:
    """The clock of what a process has used, as clock_getcpuclockid(3) numbers it; /proc/…/stat counts in 10 ms."""
    return ~pid << 3 | 2
