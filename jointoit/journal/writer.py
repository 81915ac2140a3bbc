"""The only way in: a fact is written in the transaction of what it tells, or neither happens."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict

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
) -> Fact:
    return Fact(
        type=type, at=at, event_id=event_id, registration_id=registration_id, before=before, after=after,
        **written(actor),
    )  # fmt: skip


def record(facts: Iterable[Fact]) -> None:
    """Write facts, in their order. Raises TransactionManagementError outside a transaction."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("A fact is written in the transaction of what it tells.")
    Fact.objects.bulk_create(facts, batch_size=BATCH)
