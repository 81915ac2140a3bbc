"""Who sends which message: claimed for a lease, settled by whoever still holds the claim, many in one statement."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

import orjson
from django.db import connection

from jointoit.events.roles import MANAGERS
from jointoit.process.leases import CLAIMED, LEASE, RELEASED, persistently
from jointoit.webhooks.models import Message

State = Message.State
DUE: Final = """
    EXISTS (SELECT FROM webhooks_message AS message
            WHERE message.webhook_id = webhook.id AND message.state = 'pending' AND message.not_before <= %(now)s)
"""
#: Those that may be sent to now, those that were failing last.
READY: Final = f"""
    SELECT webhook.id, webhook.url, webhook.paused_until IS NOT NULL AS is_failing
    FROM webhooks_webhook AS webhook JOIN accounts_user AS owner ON owner.id = webhook.owner_id AND owner.is_active
    WHERE webhook.enabled AND coalesce(webhook.paused_until <= %(now)s, true) AND webhook.id <> ALL(%(busy)s::bigint[])
      AND {DUE}
    ORDER BY webhook.paused_until NULLS FIRST, webhook.last_success_at NULLS FIRST
"""
#: One sender at a time asks whether an address serves again.
PROBE: Final = """
    UPDATE webhooks_webhook SET paused_until = %(until)s
    WHERE id = ANY(%(webhooks)s::bigint[]) AND paused_until <= %(now)s RETURNING id
"""
# Rights are looked at here, for all that is about to be sent.
CLAIM: Final = f"""
    WITH asked AS (SELECT * FROM unnest(%(webhooks)s::bigint[], %(most)s::int[]) AS asked (webhook_id, most)),
    due AS MATERIALIZED (
        SELECT pending.id, pending.not_before FROM asked CROSS JOIN LATERAL (
            SELECT message.id, message.not_before FROM webhooks_message AS message
            WHERE message.webhook_id = asked.webhook_id AND message.state = 'pending' AND message.not_before <= %(now)s
            ORDER BY message.not_before, message.id LIMIT asked.most FOR UPDATE SKIP LOCKED
        ) AS pending
    ), claimed AS (
        UPDATE webhooks_message AS message SET {CLAIMED}
        FROM due WHERE message.id = due.id
        RETURNING message.id, message.webhook_id, message.message_id, message.body, message.attempt, message.event_id,
                  message.give_up_at, due.not_before AS was_due
    )
    SELECT claimed.id, claimed.webhook_id, message_id, body, attempt, give_up_at, was_due, seed,
           CASE WHEN previous_until > %(now)s THEN previous_seed END AS previous_seed,
           event_id IS NULL OR EXISTS (
               SELECT FROM events_event AS event WHERE event.id = claimed.event_id AND webhook.owner_id IN ({MANAGERS})
           ) AS is_allowed
    FROM claimed JOIN webhooks_webhook AS webhook ON webhook.id = claimed.webhook_id
    ORDER BY was_due, claimed.id
"""
SETTLE: Final = f"""
    UPDATE webhooks_message AS message
    SET state = became.state, attempt = message.attempt + became.tried,
        status = CASE became.tried WHEN 1 THEN became.status ELSE message.status END,
        milliseconds = CASE became.tried WHEN 1 THEN became.milliseconds ELSE message.milliseconds END,
        answer = CASE became.tried WHEN 1 THEN became.answer ELSE message.answer END,
        not_before = became.not_before, settled_at = CASE became.state WHEN 'pending' THEN NULL ELSE %(now)s END,
        {RELEASED}
    FROM jsonb_to_recordset(%(became)s::jsonb) AS became (id bigint, claim uuid, state text, tried int, status int,
                                                          milliseconds int, answer text, not_before timestamptz)
    WHERE message.id = became.id AND message.claim = became.claim
"""
RETIRE: Final = """
    UPDATE webhooks_message SET state = 'failed', settled_at = %(now)s,
           answer = CASE answer WHEN '' THEN 'It was never its turn.' ELSE answer END
    WHERE state = 'pending' AND not_before <= %(now)s AND give_up_at <= %(now)s
"""


@dataclass(frozen=True)
class Claimed:
    """A message that is ours to send until the lease ends. `seeds` make its signatures."""

    id: int
    webhook_id: int
    message_id: UUID
    body: bytes
    attempt: int
    give_up_at: datetime
    was_due: datetime
    seeds: tuple[str, ...]
    claim: UUID

    @property
    def name(self) -> str:
        return f"msg_{self.message_id.hex}"


@dataclass(frozen=True)
class Ready:
    id: int
    url: str
    is_failing: bool


def ready(*, busy: Iterable[int], now: datetime) -> list[Ready]:
    """The webhooks with due messages that may be sent to now; `busy` ones are left out."""
    return [Ready(*row) for row in fetch(READY, {"now": now, "busy": list(busy)})]


def probe(webhooks: list[int], *, now: datetime) -> set[int]:
    """Of webhooks that were failing, those that the caller is the one to try."""
    if not webhooks:
        return set()
    return {pk for (pk,) in fetch(PROBE, {"webhooks": webhooks, "now": now, "until": now + LEASE})}


def claim(most: Mapping[int, int], *, now: datetime) -> list[Claimed]:
    """Take due messages, so many of each webhook at most; what is no longer allowed is settled as withdrawn."""
    if not most:
        return []
    held = uuid4()
    rows = fetch(CLAIM, {"webhooks": list(most), "most": list(most.values()), "now": now, "claim": held,
                         "until": now + LEASE})  # fmt: skip
    found: list[Claimed] = []
    withdrawn: list[Claimed] = []
    for pk, webhook, message, body, attempt, give_up_at, was_due, seed, previous, is_allowed in rows:
        seeds = (seed, previous) if previous else (seed,)
        each = Claimed(pk, webhook, message, body.encode(), attempt, give_up_at, was_due, seeds, held)
        (found if is_allowed else withdrawn).append(each)
    settle([became(each, State.WITHDRAWN) for each in withdrawn], now=now)
    return found


def became(
    message: Claimed,
    state: str,
    *,
    tried: bool = False,
    status: int | None = None,
    milliseconds: int | None = None,
    answer: str = "",
    not_before: datetime | None = None,
) -> dict[str, Any]:
    """A line for `settle`. Without `not_before` it stands in the queue where it stood."""
    return {
        "id": message.id, "claim": message.claim, "state": state, "tried": int(tried), "status": status,
        "milliseconds": milliseconds, "answer": answer.replace("\0", " "), "not_before": not_before or message.was_due,
    }  # fmt: skip


def settle(lines: list[dict[str, Any]], *, now: datetime) -> int:
    """Write what became of messages, of those whose claims still hold; returns how many these were."""
    if not lines:
        return 0
    values = {"now": now, "became": orjson.dumps(lines).decode()}
    return persistently(lambda: write(SETTLE, values))


def retire(*, now: datetime) -> None:
    """Give up what was due for days."""
    write(RETIRE, {"now": now})


def write(sql: str, values: Mapping[str, Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return int(cursor.rowcount)


def fetch(sql: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())
