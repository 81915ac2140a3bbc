"""What README and documents tell to type is run as it stands, only with other addresses."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

from tests.e2e.inbox import wait_for
from tests.e2e.service import Service

ROOT = Path(__file__).parents[2]


def typed(stack: Service, document: str) -> str:
    """What the first block of the document prints that begins with an address."""
    block = re.search(r"```sh\n(API=.*?)```", (ROOT / document).read_text(), re.DOTALL)
    assert block
    script = block[1].replace("http://127.0.0.1:8000", stack.api).replace("http://127.0.0.1:1080", stack.inbox)
    ran = subprocess.run(["bash", "-euo", "pipefail", "-c", script], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_the_first_registration_of_the_readme_works(stack: Service) -> None:
    assert '"status":"confirmed"' in typed(stack, "README.md")
    assert "confirmed" in wait_for(stack.inbox, to="gus@example.org", subject="Launch night")["text"].lower()


def test_the_walk_with_a_team_works(stack: Service) -> None:
    history = typed(stack, "docs/team.md").rpartition('"results":')[2]

    assert re.findall(r'"type":"([\w.]+)"', history) == [
        "event.handed_over", "event.changed", "team.changed", "event.created",
    ]  # fmt: skip


def documents(said: str) -> list[Any]:
    """What was printed, one JSON document after the other."""
    decoder, found = json.JSONDecoder(), []
    while said := said.lstrip():
        document, end = decoder.raw_decode(said)
        found.append(document)
        said = said[end:]
    return found


def test_the_session_at_the_door_works(stack: Service) -> None:
    *_, refused, figures = documents(typed(stack, "docs/checkin.md"))

    assert {name: figures[name] for name in ("confirmed", "admitted", "refused", "conflicts")} == {
        "confirmed": 1, "admitted": 1, "refused": 2, "conflicts": 1,
    }  # fmt: skip
    assert (refused["reason"], refused["first"]["gate"]) == ("already_admitted", "Main gate")
