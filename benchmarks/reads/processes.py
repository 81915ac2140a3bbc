"""CPU time and memory of a server with all its workers, read from /proc (Linux)."""

import os
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def stat(pid: int) -> list[str]:
    """The fields of proc_pid_stat(5) behind the program's name; the state comes first."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def tree(root: int) -> list[int]:
    """A process and all that descend from it."""
    parents = {int(path.name): stat(int(path.name)) for path in Path("/proc").glob("[0-9]*")}
    found = [root]
    for pid in found:
        found += [child for child, fields in parents.items() if fields and int(fields[1]) == pid]
    return found


def cpu(root: int) -> float:
    """Seconds of user and system time so far."""
    spent = (stat(pid) for pid in tree(root))
    return sum(int(fields[11]) + int(fields[12]) for fields in spent if fields) / TICK


def memory(root: int) -> float:
    """Bytes, with pages that several processes share counted once (PSS)."""
    total = 0
    for pid in tree(root):
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total * 1024
