"""The mail inbox of a laptop: MailDev where Node.js is there, a small one of our own where it is not."""

import fcntl
import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

from config.env import ROOT

MODULES = ROOT / "node_modules"
OLDEST_NODE = 20
KEPT = 1000  # mails


def command(*, host: str, smtp_port: int, web_port: int, mails: Path) -> tuple[str, list[str]]:
    """Install MailDev where that is needed and possible. Returns what to call the inbox, and the command to run it."""
    mails.mkdir(parents=True, exist_ok=True)
    missing = why_not()
    if missing:
        name = f"{missing}, so a plain Python inbox stands in for MailDev"
        options = ["--smtp-port", str(smtp_port), "--web-port", str(web_port), "--host", host, "--mails", str(mails)]
        return name, [sys.executable, "-m", "laptop.inbox", *options]
    program = str(MODULES / "maildev" / "dist" / "bin" / "maildev.js")
    options = ["--smtp", str(smtp_port), "--web", str(web_port), "--ip", host, "--web-ip", host, "--silent"]
    return "MailDev", ["node", program, *options, "--mail-directory", str(mails), "--max-emails", str(KEPT)]


def why_not() -> str:
    """Why MailDev cannot run here, as the beginning of a sentence; empty when it can."""
    if not (shutil.which("node") and shutil.which("npm")):
        return "Node.js and npm are not installed"
    said = subprocess.run(["node", "--version"], check=False, capture_output=True, text=True).stdout
    found = re.match(r"v(\d+)\.", said)
    if not found or int(found[1]) < OLDEST_NODE:
        return f"Node.js is older than {OLDEST_NODE} ({said.strip() or 'unknown version'})"
    with (ROOT / "package-lock.json").open("rb") as lock:  # two starts at once would install over each other
        fcntl.flock(lock, fcntl.LOCK_EX)
        return "" if is_installed() else install()


def lock_digest() -> str:
    return hashlib.sha256((ROOT / "package-lock.json").read_bytes()).hexdigest()


def is_installed() -> bool:
    stamp = MODULES / ".installed"
    return stamp.is_file() and stamp.read_text() == lock_digest()


def install() -> str:
    """Install exactly what the lock file says. Returns why it did not work, or nothing."""
    print("Installing MailDev, the mail inbox, with npm (once) …", flush=True)
    words = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    ran = subprocess.run(words, cwd=ROOT, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if ran.returncode:
        return "npm could not install MailDev"
    (MODULES / ".installed").write_text(lock_digest())
    return ""
