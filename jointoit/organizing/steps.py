"""One step for many registrations: each for itself, so that what a rule refuses of one stands in nobody's way."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from jointoit.accounts.callers import Caller
from jointoit.errors import DomainError, NotFound
from jointoit.events import booking
from jointoit.events.models import Registration


def take(
    *, caller: Caller, event_id: int, ids: Iterable[int], status: str, now: datetime, reason: str = ""
) -> list[dict[str, Any]]:
    """The outcome of each: `{id, status}` as it is now, or `{id, code, detail}` of what refused."""
    ids = list(dict.fromkeys(ids))
    known = set(Registration.objects.filter(event=event_id, pk__in=ids).values_list("pk", flat=True))
    return [outcome(pk, caller, status, now=now, reason=reason, known=pk in known) for pk in ids]


def outcome(pk: int, caller: Caller, status: str, *, now: datetime, reason: str, known: bool) -> dict[str, Any]:
    try:
        if not known:
            raise NotFound
        booking.set_status(registration_id=pk, caller=caller, status=status, now=now, reason=reason)
    except DomainError as refusal:
        return {"id": pk, "status": None, "code": refusal.code, "detail": str(refusal)}
    now_is = Registration.objects.values_list("status", flat=True).get(pk=pk)
    return {"id": pk, "status": now_is, "code": None, "detail": None}
