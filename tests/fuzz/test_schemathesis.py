"""Schemathesis over HTTP: whatever it thinks of, the service answers as its document says.

`make fuzz` does the same with FUZZ_REQUESTS=50000, each round with fresh tokens and another seed.
"""

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from config.env import ROOT
from tests.live import UNLIMITED, Live, serve

ROLES = ("anonymous", "attendee", "organizer")
REQUESTS = int(os.environ.get("FUZZ_REQUESTS", "0")) // len(ROLES)  # 0: one short round
EXAMPLES = 40 if REQUESTS else 2  # for each operation and phase
#: Coverage tries each border of each value, which takes a minute for each role.
SHORT = "examples,fuzzing,stateful"
GENERATED = re.compile(r"(\d+) generated")
TOKEN = "let-the-fuzzer-in"
EVENT = {"title": "Launch", "date": "2099-05-17T18:00:00Z", "location": "Berlin", "capacity": 3, "waitlist": True}


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """One server for all roles of this process, with some events and registrations in it."""
    with serve(tmp_path_factory.mktemp("fuzz"), **UNLIMITED, LOG_LEVEL="ERROR", METRICS_TOKEN=TOKEN) as live:
        people = {role: live.person(role) for role in ROLES}
        for _ in range(5):
            event = httpx.post(f"{live.url}/events/", json=EVENT, headers=people["organizer"]).json()["id"]
            for role in ("attendee", "organizer"):
                httpx.post(f"{live.url}/events/{event}/register/", headers=people[role])
        yield live


def words(live: Live, role: str) -> list[str]:
    """The command, with the token of this role or none."""
    command = [str(Path(sys.executable).with_name("schemathesis")), "--config-file", "tests/fuzz/schemathesis.toml"]
    command += ["run", f"{live.url}/api/schema/", "--no-color", f"--max-examples={EXAMPLES}"]
    if not REQUESTS:
        command.append(f"--phases={SHORT}")
    if role == "anonymous":
        return [*command, "--generation-with-security-parameters=false"]
    token = live.log_in(f"{role}@example.org")["Authorization"]  # the username is theirs to change
    return [*command, "--header", f"Authorization: {token}"]


def answered(live: Live) -> Counter[str]:
    """How often the service has given each status, by its own count."""
    text = httpx.get(f"{live.url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30).text
    samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    counted: Counter[str] = Counter()
    for sample in samples:
        if sample.name == "jointoit_http_requests_total":
            counted[sample.labels["status"]] += int(sample.value)
    return counted


@pytest.mark.timeout(0 if REQUESTS else 600)
@pytest.mark.parametrize("role", ROLES)
def test_it_finds_nothing(live: Live, role: str) -> None:
    before, done = answered(live), 0
    while True:
        run = subprocess.run(words(live, role), cwd=ROOT, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout + run.stderr
        found = GENERATED.search(run.stdout)
        assert found, run.stdout
        done += int(found[1])
        sys.stdout.write(f"\n{role}: {done} generated, no failure\n")
        if done >= REQUESTS:
            break
    counted = answered(live) - before
    sys.stdout.write(f"{role}: {counted.total()} answered: {dict(sorted(counted.items()))}\n")
    assert done > 100
    assert [status for status in counted if status >= "500"] == []
