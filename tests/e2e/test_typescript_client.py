"""Types generated from the published schema carry a TypeScript program, strictly checked, through the main round."""

import fcntl
import shutil
import subprocess
import uuid
from pathlib import Path

import httpx
import pytest

from config.env import ROOT
from tests.e2e.service import Service

TOOLS = ROOT / "tools" / "sdk"
pytestmark = pytest.mark.skipif(not shutil.which("npm"), reason="Node.js and npm are not installed")


def run(*words: str | Path, cwd: Path = TOOLS) -> str:
    done = subprocess.run(list(map(str, words)), cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def install_node_packages() -> None:
    with (TOOLS / "package-lock.json").open("rb") as lock:  # two runs at once would install over each other
        fcntl.flock(lock, fcntl.LOCK_EX)
        run("make", "tools/sdk/node_modules/.installed", cwd=ROOT)


@pytest.fixture
def project(stack: Service, tmp_path: Path) -> Path:
    """A folder with the program, the schema as it is published, and the types made of it."""
    install_node_packages()
    for name in ("package.json", "round.ts", "tsconfig.json"):
        shutil.copy(TOOLS / name, tmp_path)
    (tmp_path / "node_modules").symlink_to(TOOLS / "node_modules")
    (tmp_path / "openapi.yaml").write_text(httpx.get(f"{stack.api}/api/schema/").text)
    run("node_modules/.bin/openapi-typescript", "openapi.yaml", "-o", "build/schema.ts", cwd=tmp_path)
    return tmp_path


def test_a_strictly_typed_program_does_the_main_round(stack: Service, project: Path) -> None:
    """The program also has a mistake that it expects the compiler to find."""
    run("node_modules/.bin/tsc", "--project", ".", cwd=project)

    assert run("node", "build/round.js", stack.api, uuid.uuid4().hex[:8], stack.inbox, cwd=project) == "done\n"
