"""The backup job's dumps are whole, the newest stay, and a drill restores one and checks it."""

import os
import subprocess
import sys
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from config.env import ROOT
from laptop.postgres import postgres_programs
from tests.operations.installation import PATIENCE, Installation
from tests.servers import bare_environment


def back_up(installation: Installation, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    parts = conninfo_to_dict(installation.database)
    place = {"PGHOST": str(parts["host"]), "PGUSER": str(parts["user"]), "PGDATABASE": str(parts["dbname"])}
    path = f"{postgres_programs()}:{os.environ['PATH']}"
    return subprocess.run(
        ["sh", ROOT / "deploy" / "backup.sh", folder],
        env={"PATH": path, "BACKUP_EVERY": "0", "BACKUP_KEEP": "2", **place, **variables},
        check=False, capture_output=True, text=True, timeout=PATIENCE,
    )  # fmt: skip


def drill(dump: Path) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "laptop.drill", str(dump)]
    environment = bare_environment(DEBUG="true")
    return subprocess.run(
        words, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


def test_a_dump_of_the_backup_job_passes_the_drill_and_the_newest_are_kept(
    installation: Installation, tmp_path: Path
) -> None:
    installation.book(guests=3)
    for old in ("20200101T000000Z", "20200102T000000Z"):
        (tmp_path / f"jointoit-{old}.dump").touch()
    assert back_up(installation, tmp_path).returncode == 0
    kept = sorted(path.name for path in tmp_path.iterdir())
    assert (len(kept), kept[0]) == (2, "jointoit-20200102T000000Z.dump")

    ended = drill(tmp_path / kept[1])
    assert (ended.returncode, ended.stdout.splitlines()[-1]) == (0, "Every invariant holds."), ended.stderr
    assert "pending              3" in ended.stdout


def test_a_dump_that_fails_leaves_no_file_and_removes_none(installation: Installation, tmp_path: Path) -> None:
    (tmp_path / "jointoit-20200101T000000Z.dump").touch()
    ended = back_up(installation, tmp_path, PGDATABASE="nowhere")

    assert (ended.returncode, '"event": "backup_failed"' in ended.stdout) == (1, True)
    assert [path.name for path in tmp_path.iterdir()] == ["jointoit-20200101T000000Z.dump"]


def test_a_drill_without_a_dump_asks_for_one(tmp_path: Path) -> None:
    assert drill(tmp_path / "none").stderr.startswith("Which dump?")
