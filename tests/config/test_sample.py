"""`.env.sample` names every variable that something reads, and no other."""

import os
import re
import subprocess
import sys

from config.env import ROOT
from tests.servers import bare_environment, documented_variables

READERS = [path for part in ("config", "jointoit", "laptop") for path in (ROOT / part).rglob("*.py")]
READERS.append(ROOT / "tests" / "servers.py")
NAME = re.compile(r"""(?:env\.\w+\(|environ\.get\(|environ\[|set_if_unset\()\s*["']([A-Z][A-Z0-9_]+)["']""")
NOT_FOR_PEOPLE = {
    "DJANGO_SETTINGS_MODULE",
    "PATH",
    "RUN_MAIN",
    "PYTHONUNBUFFERED",
    "PYTHONWARNINGS",
    "FORCE_COLOR",
    "PATH_INFO",
    "HTTP_AUTHORIZATION",
    "PYTEST_XDIST_WORKER",
}


def test_the_sample_names_what_is_read_and_nothing_else() -> None:
    read = {name for path in READERS for name in NAME.findall(path.read_text())}

    assert set(documented_variables()) - {"TEST_DATABASE_URL", "TEST_REDIS_URL"} == read - NOT_FOR_PEOPLE


def settings_with(file: str) -> str:
    code = "from config import settings as s; print({n: repr(v) for n, v in vars(s).items() if n.isupper()})"
    environment = bare_environment(DEBUG="true", ENV_FILE=file)
    words = [sys.executable, "-c", code]
    said = subprocess.run(words, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout
    return re.sub(r" at 0x[0-9a-f]+", "", said)


def test_a_copy_of_the_sample_changes_nothing_in_development() -> None:
    assert settings_with(".env.sample") == settings_with(os.devnull)
