"""Lines for whoever watches for attacks: what was tried, whether it worked, from where, and whose account it was.

The client's address stands here in clear, and nowhere else in the log: fail2ban and alerts need it (docs/operations.md
says for how long to keep it). A name is never told, but the account's id, or for a name that nobody has a keyed hash.
"""

from contextvars import ContextVar
from typing import Any, Literal

import structlog
from django.http import HttpRequest

from jointoit.api.throttling.client_address import client_address

#: The request that is being answered; none at the command line and in workers.
current_request: ContextVar[HttpRequest | None] = ContextVar("current_request", default=None)

log = structlog.get_logger("jointoit.security")


def note(action: str, result: Literal["ok", "failed", "refused"], *, user_id: int | None = None, **facts: Any) -> None:
    """Write one line; `failed` is a wrong try, `refused` one that a rule kept from being tried."""
    request = current_request.get()
    client = client_address(request) if request else None
    write = log.info if result == "ok" else log.warning
    write("security", action=action, result=result, client=client, user_id=user_id, **facts)
