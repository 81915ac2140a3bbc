"""What one request and one mail cost: CPU time of the service and of PostgreSQL. `make bench-cost`

CPU time rather than a rate: it hardly depends on what else the machine does, and tells how many cores a load needs.
"""

import os
import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from itertools import chain
from pathlib import Path

import django

os.environ |= {"DJANGO_SETTINGS_MODULE": "config.settings", "ENV_FILE": os.devnull, "DEBUG": "true"}
os.environ.setdefault("LOG_LEVEL", "ERROR")  # of this process: its mail server tells each step
os.environ |= {name: secrets.token_hex(32) for name in ("SECRET_KEY", "JWT_SIGNING_KEY")}
django.setup()

import httpx  # noqa: E402

from tests.operations.installation import Installation, until  # noqa: E402

REQUESTS = 400
TICKS = os.sysconf("SC_CLK_TCK")


def family(pid: int) -> Iterable[int]:
    """A process and all that descend from it."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return chain([pid], *(family(int(child)) for child in children))


def used(pid: int) -> float:
    """Seconds of CPU that the family has used so far."""
    total = 0
    for each in family(pid):
        with suppress(FileNotFoundError, ProcessLookupError):  # ended meanwhile
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
    return total / TICKS


def postmaster(installation: Installation) -> int:
    return int((installation.folder / "pg" / "postmaster.pid").read_text().splitlines()[0])


def measure(installation: Installation, part: str, name: str, number: int, work: Callable[[], object]) -> None:
    """Print the milliseconds of CPU of each side for one of `number` pieces of work."""
    pids = (installation.running[part].pid, postmaster(installation))
    before = [used(pid) for pid in pids]
    work()
    ours, database = ((used(pid) - old) / number * 1000 for pid, old in zip(pids, before, strict=True))
    print(f"{name:<22} {part} {ours:5.2f} ms, PostgreSQL {database:5.2f} ms")


def main() -> None:
    installation = Installation()
    try:
        installation.manage("migrate", "-v", "0")
        installation.start("redis")
        installation.start("web", WEB_WORKERS="1")
        event, tokens = installation.seed(guests=REQUESTS, capacity=REQUESTS)
        until(installation.is_ready)
        with httpx.Client(base_url=installation.api, timeout=60) as client:
            run(installation, client, event, tokens)
        installation.start("sweeper")
        until(lambda: installation.mails("state = 'sent'") > 0)
        left = installation.mails("state = 'pending'")
        measure(
            installation, "sweeper", "one mail", left,
            lambda: until(lambda: installation.mails("state = 'pending'") == 0, patience=600),
        )  # fmt: skip
    finally:
        installation.close()


def run(installation: Installation, client: httpx.Client, event: int, tokens: list[str]) -> None:
    def register() -> None:
        for token in tokens:
            answer = client.post(f"/events/{event}/register/", headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == 201

    def read(path: str) -> None:
        for _ in range(REQUESTS):
            client.get(path).raise_for_status()

    for path in ("/events/", f"/events/{event}/", "/health/live/"):
        client.get(path)  # warm
        measure(installation, "web", f"GET {path}", REQUESTS, partial(read, path))
    measure(installation, "web", "POST register", REQUESTS, register)


if __name__ == "__main__":
    main()
