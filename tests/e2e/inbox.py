"""Reads MailDev's REST API as a person looks into an inbox: again and again until the mail is there."""

import time
from typing import Any

import httpx

PATIENCE = 20  # seconds; a mail takes one, the sweeper comes every two


def wait_for(inbox: str, *, to: str, subject: str) -> dict[str, Any]:
    """Return the mail to `to` whose subject contains `subject`. Raises AssertionError when it does not come."""
    until = time.monotonic() + PATIENCE
    seen: list[str] = []
    while time.monotonic() < until:
        mails = httpx.get(f"{inbox}/api/email").json()
        mine = [mail for mail in mails if to in [person["address"] for person in mail["to"]]]
        seen = [mail["subject"] for mail in mine]
        for mail in mine:
            if subject in mail["subject"]:
                return dict(mail)
        time.sleep(0.1)
    raise AssertionError(f"No mail to {to} with {subject!r}; there were {seen}")
