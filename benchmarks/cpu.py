"""How much a contestant works: the processor time of its server and of PostgreSQL, whatever else the machine does."""

import os
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def spent(*pids: int) -> float:
    """Seconds of processor time of these processes and all below them, ended ones included."""
    return sum(below(pid) for pid in pids)


def below(pid: int) -> float:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:  # it ended just now; its parent has its time
        return 0.0
    own = stat.rpartition(")")[2].split()[11:15]  # utime, stime, and those of children that were waited for
    return sum(map(int, own)) / TICK + sum(below(int(child)) for child in children)
