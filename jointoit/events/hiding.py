"""Staff hide an event from everybody but its team, and its mails stop; both are taken back in one step.

A hidden event is a draft that its owner cannot publish, so that every list, page, search and calendar leaves it out by
the condition that it has anyway (docs/decisions/0029-hidden-events.md).
"""

from datetime import datetime
from typing import Any

from django.db import transaction

from jointoit.accounts.callers import Caller
from jointoit.events import booking, facts, reminders, scheduling
from jointoit.events.models import Event
from jointoit.journal import writer as journal
from jointoit.journal.writer import Actor
from jointoit.mail import stops

Status = Event.Status


def topic(event_id: int) -> str:
    """That of all mails about an event."""
    return f"event:{event_id}"


def hide(*, event_id: int, caller: Caller, now: datetime) -> None:
    """Hide an event and stop its mails; twice is once. For staff. Raises NotFound."""
    with transaction.atomic():
        event, actor = scheduling.lock(event_id, caller)
        if event.hidden_status:
            return
        status, hidden = Status(event.status), {"status": Status.DRAFT.value, "hidden": True}
        event.hidden_status, event.status = status, Status.DRAFT
        scheduling.save_change(event, ["hidden_status", "status"], now=now)
        tell(event, actor, now=now, before={"status": status.value, "hidden": False}, after=hidden, shown=status)
        reminders.take_back(event)
        stops.stop_for_all(topic(event_id))


def show(*, event_id: int, caller: Caller, now: datetime) -> None:
    """Show an event again as it was; mails go out again from now on, and free seats to those who wait.

    Twice is once. For staff. Raises NotFound.
    """
    with transaction.atomic():
        event, actor = scheduling.lock(event_id, caller)
        if not event.hidden_status:
            return
        event.status, event.hidden_status = event.hidden_status, None
        scheduling.save_change(event, ["hidden_status", "status"], now=now)
        after = facts.told(event, facts.TOLD) | {"hidden": False}  # whatever was changed meanwhile, too
        before = {"status": Status.DRAFT.value, "hidden": True}
        tell(event, actor, now=now, before=before, after=after, shown=Status(event.status))
        stops.resume_for_all(topic(event_id))
        booking.promote_waitlist(event, now=now)


def tell(
    event: Event, actor: Actor, *, now: datetime, before: dict[str, Any], after: dict[str, Any], shown: Status
) -> None:
    """`event.changed`, in the feed of everybody where the event is, or was, for everybody: mirrors leave it out too."""
    public = shown != Status.DRAFT
    changed = journal.fact(
        "event.changed", actor=actor, at=now, event_id=event.pk, before=before, after=after, public=public
    )
    journal.record([changed])
