"""The only way in: a fact is written in the transaction of what it tells, or neither happens."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypedDict

import structlog
from django.db import connection, transaction

from jointoit.journal.models import Fact

#: For a statement that writes what happened to registrations and its fact at once: what comes before `SELECT`, whose
#: columns are these. `Written` gives the values of the names.
INSERT = """
    INSERT INTO journal_fact
        (type, at, actor_kind, actor_id, event_id, registration_id, before, after, request_id)
"""
BATCH = 1_000


@dataclass(frozen=True)
class Actor:
    """Who took a step. `kind` is one of KINDS; `id` is of the account, of the key or of the door pass."""

    kind: str
    id: int | None = None


KINDS = ("owner", "manager", "door", "attendee", "staff", "key", "system")
#: The service by itself: who waited gets a seat.
SYSTEM = Actor("system")


#: What there is to tell, and what it means.
TYPES: Final[Mapping[str, str]] = {
    "event.created": "An event was made, perhaps as a draft.",
    "event.changed": "Fields of an event have other values; of a description a digest is told.",
    "event.published": "A draft is for everybody now.",
    "event.cancelled": "An event will not take place.",
    "event.deleted": "An event is gone.",
    "event.handed_over": "An event has another owner.",
    "event.announced": "News went to people who are registered.",
    "event.question_asked": "An event asks one question more.",
    "event.question_changed": "A question of an event is another, or stands elsewhere.",
    "event.question_removed": "An event asks one question less.",
    "registration.pending": "Somebody asked for a seat that has to be approved.",
    "registration.confirmed": "Somebody has a seat.",
    "registration.waitlisted": "Somebody waits for a seat.",
    "registration.promoted": "Who waited first has a seat.",
    "registration.declined": "A seat was not approved.",
    "registration.cancelled": "A registration ended.",
    "registration.added": "The organizer brought somebody in.",
    "registration.transferred": "Somebody handed a seat on.",
    "registration.received": "Somebody took over a seat that was handed on.",
    "ticket.reissued": "A ticket is void, another one is good.",
    "checkin.admitted": "Somebody was let in.",
    "checkin.refused": "Somebody was not let in.",
    "checkin.undone": "A scan was taken back.",
    "team.changed": "A role began, changed or ended.",
}


class Written(TypedDict):
    """What a statement with `INSERT` asks for besides what it tells."""

    actor_kind: str
    actor_id: int | None
    request_id: str | None


def request_id() -> str | None:
    """The id under which the log tells of the present request."""
    found: str | None = structlog.contextvars.get_contextvars().get("request_id")
    return found


def written(actor: Actor) -> Written:
    return {"actor_kind": actor.kind, "actor_id": actor.id, "request_id": request_id()}


def fact(
    type: str,  # noqa: A002  the field's name
    *,
    actor: Actor,
    event_id: int,
    at: datetime,
    registration_id: int | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    public: bool = False,
) -> Fact:
    return Fact(
        type=type, at=at, event_id=event_id, registration_id=registration_id, before=before, after=after, public=public,
        **written(actor),
    )  # fmt: skip


def record(facts: Iterable[Fact]) -> None:
    """Write facts, in their order. Raises TransactionManagementError outside a transaction."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("A fact is written in the transaction of what it tells.")
    Fact.objects.bulk_create(facts, batch_size=BATCH)
