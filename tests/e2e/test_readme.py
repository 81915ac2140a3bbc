"""The first registration of the README is run as it stands, only with another address."""

import re
import subprocess
from pathlib import Path

from tests.e2e.inbox import wait_for
from tests.e2e.service import Service

README = Path(__file__).parents[2] / "README.md"


def test_the_first_registration_of_the_readme_works(stack: Service) -> None:
    block = re.search(r"```sh\n(API=.*?)```", README.read_text(), re.DOTALL)
    assert block
    script = block[1].replace("http://127.0.0.1:8000", stack.api)

    ran = subprocess.run(["bash", "-euo", "pipefail", "-c", script], capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stderr
    assert '"status":"confirmed"' in ran.stdout
    assert "confirmed" in wait_for(stack.inbox, to="gus@example.org", subject="Launch night")["text"].lower()
