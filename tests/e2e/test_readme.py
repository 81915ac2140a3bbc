"""What README and documents tell to type is run as it stands, only with other addresses."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from jointoit.webhooks import signing
from tests.e2e.inbox import wait_for
from tests.e2e.service import Service
from tests.e2e.test_typescript_client import TOOLS, install_node_packages
from tests.servers import free_port

ROOT = Path(__file__).parents[2]


def block_of(document: str, language: str, begin: str = "") -> str:
    """The first block in that language that begins so."""
    block = re.search(rf"```{language}\n({begin}.*?)```", (ROOT / document).read_text(), re.DOTALL)
    assert block
    return block[1]


def typed(stack: Service, document: str, folder: Path | None = None, **also: str) -> str:
    """What the first block of the document prints that begins with an address; `also` is to be replaced as well."""
    script = block_of(document, "sh", "API=")
    replaced = {"http://127.0.0.1:8000": stack.api, "http://127.0.0.1:1080": stack.inbox, **also}
    for text, other in replaced.items():
        script = script.replace(text, other)
    path = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=folder, env=os.environ | path, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_the_first_registration_of_the_readme_works(stack: Service) -> None:
    assert '"status":"confirmed"' in typed(stack, "README.md")
    assert "confirmed" in wait_for(stack.inbox, to="gus@example.org", subject="onfirmed")["text"].lower()


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


def test_the_week_of_an_organizer_works(stack: Service, tmp_path: Path) -> None:
    said = documents(typed(stack, "docs/organizing.md", tmp_path))

    approved = next(document["results"] for document in said if "results" in document)
    told = [document["recipients"] for document in said if "recipients" in document]
    *_, figures, exported = said
    funnel = {name: figures["funnel"][name] for name in ("registered", "confirmed", "transferred")}
    assert [row["status"] for row in approved] == ["confirmed"] * 40
    assert (told, funnel) == ([40, 40], {"registered": 42, "confirmed": 41, "transferred": 1})
    assert exported["account"]["username"] == "ada-o"
    assert len((tmp_path / "people.csv").read_text().splitlines()) == 43


def test_the_walk_with_a_webhook_works(stack: Service, tmp_path: Path) -> None:
    (tmp_path / "receiver.py").write_text(block_of("docs/webhooks.md", "python"))

    said = typed(stack, "docs/webhooks.md", tmp_path, **{"LISTEN=9090": f"LISTEN={free_port()}"})
    feed = said.rpartition('"results":')[2]

    assert re.findall(r'"type":"([\w.]+)"', feed) == [
        "event.created", "registration.confirmed", "registration.cancelled",
    ]  # fmt: skip
    assert [line.split()[0] for line in (tmp_path / "received.txt").read_text().splitlines()] == [
        "registration.confirmed", "registration.cancelled",
    ]  # fmt: skip


@pytest.mark.skipif(not shutil.which("npm"), reason="Node.js and npm are not installed")
def test_the_receiver_in_node_verifies_what_is_sent_and_refuses_what_is_not(tmp_path: Path) -> None:
    install_node_packages()
    (tmp_path / "node_modules").symlink_to(TOOLS / "node_modules")
    (tmp_path / "receiver.mjs").write_text(block_of("docs/webhooks.md", "js"))
    seed, old, port = signing.new_seed(), signing.new_seed(), free_port()
    body = orjson.dumps({"type": "registration.confirmed", "data": {"registration": 42}})
    environment = {"PATH": os.environ["PATH"], "SECRET": signing.secret_of(seed), "LISTEN": str(port)}
    words = ["node", "--unhandled-rejections=warn", "receiver.mjs"]
    program = subprocess.Popen(words, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    with program:
        answers: list[int | None] = []
        for seeds in ([seed], [seed, old], [old, seed], [old]):
            headers = signing.headers(f"msg_{len(answers)}", body, seeds=seeds, timestamp=int(time.time()))
            answers.append(posted(port, body, headers))
        program.kill()
        assert program.stdout
        said = program.stdout.read().decode().splitlines()

    assert answers == [204, 204, 204, None]
    assert said == ["registration.confirmed 42"] * 3


def posted(port: int, body: bytes, headers: dict[str, str]) -> int | None:
    """The status, or None where the receiver gives no answer; waits until it listens."""
    for _ in range(100):
        try:
            return httpx.post(f"http://127.0.0.1:{port}/", content=body, headers=headers, timeout=2).status_code
        except httpx.ConnectError:
            time.sleep(0.1)
        except httpx.HTTPError:
            return None
    raise AssertionError("It does not listen.")
