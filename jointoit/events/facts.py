"""What the journal tells of an event: its public fields, and of long texts a digest alone."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from jointoit.events.models import Event
from jointoit.journal.writer import Actor, fact, record

TOLD: Final = (
    "title", "description", "date", "ends_at", "timezone", "location", "capacity", "waitlist", "requires_approval",
    "verified_only", "registration_opens_at", "registration_closes_at", "checkin_opens_at", "checkin_closes_at",
    "status", "tags", "contact", "cancel_until", "allow_transfers", "organizer_news",
)  # fmt: skip

DIGESTED: Final = {"description", "contact"}  # too long, or an address, which the journal never keeps


def told(event: Event, names: Iterable[str]) -> dict[str, Any]:
    """Values as clients read them; of a description its digest, which says whether it is another."""
    return {name: value_of(name, getattr(event, name)) for name in names}


def value_of(name: str, value: Any) -> Any:
    if name in DIGESTED and value is not None:
        return hashlib.sha256(value.encode()).hexdigest()[:16]
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value


def record_event(
    kind: str,
    event: Event,
    *,
    actor: Actor,
    now: datetime,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Write `event.<kind>`, in the transaction of what it tells; anybody may know of it once the event is published."""
    public = event.status != Event.Status.DRAFT
    record([fact(f"event.{kind}", actor=actor, at=now, event_id=event.pk, before=before, after=after, public=public)])
