"""How the mail is doing, in figures: for the command line, the health page and metrics."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min

from jointoit.mail.models import OutboxMail, SendControl

State = OutboxMail.State
LOOKED_AFTER = timedelta(minutes=1)  # a sweeper looks every two seconds, and says so every ten


@dataclass(frozen=True)
class Status:
    """`oldest_due` is how many seconds the mail that waits longest is late; 0.0 where none is."""

    counts: dict[str, int]
    oldest_due: float
    held_because: str | None
    down_since: datetime | None
    down_answer: str


def status(*, now: datetime) -> Status:
    switch = SendControl.objects.filter(pk=1).first() or SendControl()
    return Status(
        counts=counts(),
        oldest_due=oldest_due(now=now),
        held_because=switch.held_because if switch.held_at else None,
        down_since=switch.down_since,
        down_answer=switch.down_answer,
    )


def probe(*, now: datetime) -> dict[str, object]:
    """For the health page, which many read: no counts of everything, and nothing that the mail server said.

    `sender_seen_seconds`: since a worker or sweeper last looked for mail, null for never; `degraded` where nobody does.
    """
    switch = SendControl.objects.filter(pk=1).first() or SendControl()
    nobody = switch.looked_at is None or now - switch.looked_at > LOOKED_AFTER
    return {
        "status": "degraded" if nobody else "ok",
        "sender_seen_seconds": round((now - switch.looked_at).total_seconds(), 1) if switch.looked_at else None,
        "queue_age_seconds": round(oldest_due(now=now), 1),
        "held": switch.held_at is not None,
        "breaker": "open" if switch.down_since else "closed",
    }


def counts() -> dict[str, int]:
    """How many mails are in each state, with those that have none."""
    found = Counter(dict(OutboxMail.objects.order_by().values_list("state").annotate(number=Count("*"))))
    return {str(state): found[state] for state in State.values}


def oldest_due(*, now: datetime) -> float:
    due = OutboxMail.objects.filter(state=State.PENDING, not_before__lte=now)
    first: datetime | None = due.aggregate(first=Min("not_before"))["first"]
    return (now - first).total_seconds() if first else 0.0
