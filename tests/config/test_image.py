"""The image can be built: what its build gives to the settings is what they take."""

import re
import subprocess
import sys

from config.env import ROOT
from tests.servers import bare_environment


def test_the_build_of_the_image_gets_past_the_settings() -> None:
    found = re.search(
        r"^RUN (key=.*?collectstatic --no-input)", (ROOT / "Dockerfile").read_text(), re.DOTALL | re.MULTILINE
    )
    assert found
    command = found[1].replace("/venv/bin/python", sys.executable)

    ran = subprocess.run(
        ["sh", "-c", f"{command} --dry-run --verbosity 0"], cwd=ROOT, env=bare_environment(),
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip

    assert (ran.returncode, ran.stderr) == (0, "")
