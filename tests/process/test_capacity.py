from pathlib import Path

import pytest

from jointoit.process import capacity
from jointoit.process.capacity import MIB, WEB_PROCESS, WORKER_PROCESS, Capacity


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return root


VERSION_2 = {
    "proc/self/cgroup": "0::/pod/web\n",
    "sys/fs/cgroup/pod/web/cpu.max": "max 100000\n",
    "sys/fs/cgroup/pod/cpu.max": "50000 100000\n",
    "sys/fs/cgroup/pod/web/memory.max": f"{512 * MIB}\n",
    "sys/fs/cgroup/pod/memory.max": "max\n",
}
VERSION_1 = {
    "proc/self/cgroup": "4:cpu,cpuacct:/web\n7:memory:/web\n",
    "sys/fs/cgroup/cpu/web/cpu.cfs_quota_us": "50000\n",
    "sys/fs/cgroup/cpu/web/cpu.cfs_period_us": "100000\n",
    "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
    "sys/fs/cgroup/memory/web/memory.limit_in_bytes": f"{512 * MIB}\n",
}


@pytest.mark.parametrize("files", [VERSION_2, VERSION_1], ids=["version 2", "version 1"])
def test_the_least_limit_of_the_container_holds(tmp_path: Path, files: dict[str, str]) -> None:
    assert capacity.measure(tree(tmp_path, files)) == Capacity(cpus=0.5, memory=512 * MIB)


def test_without_limits_it_is_the_machine(tmp_path: Path) -> None:
    assert capacity.measure(tmp_path) == capacity.measure(tree(tmp_path, {"proc/self/cgroup": "0::/\n"}))


@pytest.mark.parametrize(
    ("cpus", "memory", "web", "workers"),
    [(16, 1024, 5, 9), (2, 1024, 2, 2), (1, 1024, 1, 2), (0.5, 512, 1, 2), (16, 128, 1, 1)],
)
def test_no_more_processes_than_cpus_and_memory_bear(cpus: float, memory: int, web: int, workers: int) -> None:
    here = Capacity(cpus, memory * MIB)

    found = (
        here.choose(given=0, variable="W", each=WEB_PROCESS),
        here.choose(given=0, variable="W", each=WORKER_PROCESS, least=2),
    )
    assert [choice.processes for choice in found] == [web, workers]


def test_who_says_how_many_gets_them_and_the_log_says_why() -> None:
    here = Capacity(2, 1024 * MIB)

    assert here.choose(given=7, variable="WEB_WORKERS", each=WEB_PROCESS).because == "WEB_WORKERS says so"
    assert here.choose(given=0, variable="WEB_WORKERS", each=WEB_PROCESS).because == (
        "2 CPUs, 1024 MiB of memory hold 5 of 160 MiB; WEB_WORKERS would say otherwise"
    )
