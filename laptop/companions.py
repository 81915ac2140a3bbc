"""What `manage.py runserver` starts beside itself: whoever delivers mail, and the inbox in which it lies.

Without them people would be registered and never hear of it.
"""

import atexit
import os
import re
import subprocess
import sys
from collections.abc import Sequence

from config.env import ROOT
from jointoit.process import end_with_parent
from laptop import maildev, stack
from laptop.launcher import free_port
from laptop.supervisor import say


def begin(words: Sequence[str]) -> None:
    """To be called before the settings are loaded, with the command line. The child of the reloader needs none."""
    if os.environ.get("RUN_MAIN") == "true" or os.environ["DEBUG"] != "true":
        return
    if (asked := re.search(r"(?:^|:)([0-9]+)$", words[-1])) and not os.environ.get("PORT"):
        os.environ["PORT"] = asked[1]  # where the links of mails lead
    if os.environ.get("EMAIL_HOST"):
        say(f"Mail goes to {os.environ['EMAIL_HOST']}, which EMAIL_HOST names.")
    else:
        start_inbox()
    start([sys.executable, "-m", "jointoit", "sweep"], LOG_LEVEL="WARNING")


def start_inbox() -> None:
    smtp = free_port("127.0.0.1", 1025)
    web = free_port("127.0.0.1", int(os.environ.get("INBOX_PORT") or 1080))
    os.environ |= {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(smtp), "EMAIL_USE_TLS": "false", "INBOX_PORT": str(web)}
    mails = stack.data_folder() / "mails"
    _, command = maildev.command(host="127.0.0.1", smtp_port=smtp, web_port=web, mails=mails)
    start(command)
    say(f"Every mail lies at http://127.0.0.1:{web}/")


def start(command: Sequence[str], **variables: str) -> None:
    """Run it until this process ends, however that ends."""
    process = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | variables, stdin=subprocess.DEVNULL,
        start_new_session=True, preexec_fn=end_with_parent.follow_parent,  # noqa: PLW1509  no thread runs yet
    )  # fmt: skip
    atexit.register(end, process, os.getpid())


def end(process: subprocess.Popen[bytes], owner: int) -> None:
    if os.getpid() == owner:  # not in a fork of it
        process.terminate()
        process.wait()
