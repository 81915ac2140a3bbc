"""`make restore-drill DUMP=…`: whether a dump can be restored, and whether what it holds is as promised.

It is restored on servers of its own, which are gone afterwards; no mail leaves them, for no sender is started.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from laptop.postgres import postgres_programs
from laptop.stack import discarded, exit_on_signals

STEPS = [["migrate", "--verbosity", "0"], ["mail", "status"], ["check_invariants"]]


def main() -> int:
    parser = argparse.ArgumentParser(prog="make restore-drill", description=__doc__)
    parser.add_argument("dump", type=Path, help="a file of pg_dump --format=custom")
    dump = parser.parse_args().dump
    if not dump.is_file():
        sys.exit("Which dump? Say DUMP=, the path of a file that pg_dump --format=custom wrote.")
    exit_on_signals()
    with discarded("jointoit-drill-") as (_, addresses):
        words = ["--no-owner", "--no-privileges", "--exit-on-error", "--dbname", addresses["DATABASE_URL"], str(dump)]
        if subprocess.run([postgres_programs() / "pg_restore", *words], check=False).returncode:
            sys.exit("The dump could not be restored; pg_restore says why above.")
        for step in STEPS:
            command = [sys.executable, "-m", "jointoit", *step]
            if subprocess.run(command, env=os.environ | addresses, check=False).returncode:
                sys.exit(f"The dump was restored, but `{' '.join(step)}` failed, as said above.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
