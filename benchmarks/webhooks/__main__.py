"""Messages a second against a bare loop of urllib3, and page 1 of the feed against page 10,000.

`python -m benchmarks.webhooks [--messages 10000] [--rounds 5] [--facts 400000]` on servers of its own, with fsync. The
bare loop signs the same bodies and posts them over one connection to the same receiver; it reads no database, looks up
no address and writes nothing down. Rounds alternate, medians are compared.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile

from config.env import ROOT


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench-webhooks")
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--facts", type=int, default=400_000)
    asked = [str(value) for value in vars(parser.parse_args()).values()]
    words = [sys.executable, "-m", "laptop.stack", tempfile.mkdtemp(prefix="bench-"), "--discard"]
    with subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as servers:
        assert servers.stdout  # the servers live as long as the pipe to this process
        environment = os.environ | json.loads(servers.stdout.readline()) | {
            "ENV_FILE": os.devnull, "DEBUG": "true", "WEBHOOK_TRUSTED_NETWORKS": "127.0.0.0/8", "LOG_LEVEL": "ERROR",
            "DJANGO_SETTINGS_MODULE": "config.settings",
        }  # fmt: skip
        for each in (["jointoit", "migrate", "--verbosity=0"], ["benchmarks.webhooks.measure", *asked]):
            subprocess.run([sys.executable, "-m", *each], cwd=ROOT, env=environment, check=True)


if __name__ == "__main__":
    main()
