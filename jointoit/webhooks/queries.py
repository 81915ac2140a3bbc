"""Webhooks and their logs as clients read them."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from jointoit.accounts.callers import Caller
from jointoit.api.lists.pagination import Key, Listing, ListQuery
from jointoit.api.lists.prepared import Row
from jointoit.webhooks.models import Message, Webhook
from jointoit.webhooks.policy import KEEP

MEMBERS: Final = (
    "id", "url", "types", "events", "enabled", "disabled_reason", "failing_since", "last_success_at",
    "previous_until", "created_at",
)  # fmt: skip
WEBHOOKS: Final = ListQuery(
    ", ".join(f"webhook.{name}" for name in MEMBERS),
    "webhooks_webhook AS webhook",
    ("webhook.owner_id = %(reader)s", "(%(only)s::bigint[] IS NULL OR webhook.events <@ %(only)s::bigint[])"),
    (Key("id", "webhook.id", "bigint"),),
)
LOG_COLUMNS: Final = (
    "message.id, message.message_id, message.type, message.event_id, message.fact_id, message.state, message.attempt, "
    "message.status, message.milliseconds, message.answer, message.created_at, message.settled_at, "
    "CASE message.state WHEN 'pending' THEN message.not_before END AS next_attempt_at"
)
NEWEST_FIRST: Final = (Key("id", "message.id", "bigint", descending=True),)
CONDITIONS: Final[Mapping[str, str]] = {
    "state": "message.state = %(state)s",
    "event": "message.event_id = %(event)s",
}


def webhook_list(caller: Caller) -> Listing:
    return Listing(WEBHOOKS, caller.values)


def log_of(webhook: Webhook, asked: Mapping[str, Any], *, now: datetime) -> Listing:
    """What was sent to it in the last 30 days, and what is to be sent."""
    values = {**asked, "webhook": webhook.pk, "oldest": now - KEEP}
    return Listing(log_query(frozenset(asked.keys() & CONDITIONS.keys())), values)


@lru_cache(maxsize=8)
def log_query(given: frozenset[str]) -> ListQuery:
    own = ("message.webhook_id = %(webhook)s", "message.created_at > %(oldest)s")
    conditions = (*own, *(CONDITIONS[name] for name in sorted(given)))
    return ListQuery(LOG_COLUMNS, "webhooks_message AS message", conditions, NEWEST_FIRST)


# ── As clients see them ───────────────────────────────────────────────────────────────────────────────────────────────


def members(row: Row) -> dict[str, Any]:
    return {**row, "disabled_reason": row["disabled_reason"] or None}


def members_of(webhook: Webhook) -> dict[str, Any]:
    return members({name: getattr(webhook, name) for name in MEMBERS})


def log_members(row: Row) -> dict[str, Any]:
    return {
        "id": f"msg_{row['message_id'].hex}",
        "type": row["type"],
        "event": row["event_id"],
        "fact": row["fact_id"],
        "state": row["state"],
        "attempts": row["attempt"],
        "status": row["status"],
        "milliseconds": row["milliseconds"],
        "answer": row["answer"] or None,
        "created_at": row["created_at"],
        "settled_at": row["settled_at"],
        "next_attempt_at": row["next_attempt_at"],
    }


def log_members_of(message: Message) -> dict[str, Any]:
    names = (
        "message_id", "type", "event_id", "fact_id", "state", "attempt", "status", "milliseconds", "answer",
        "created_at", "settled_at",
    )  # fmt: skip
    waits = message.not_before if message.state == Message.State.PENDING else None
    return log_members({name: getattr(message, name) for name in names} | {"next_attempt_at": waits})
