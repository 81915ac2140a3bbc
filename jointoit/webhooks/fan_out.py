"""From facts to messages: each fact once, for every webhook whose owner manages its event at that moment."""

from typing import Any, Final

from django.db import connection, transaction

from jointoit.api.http.rendering import to_json
from jointoit.api.lists.prepared import Row
from jointoit.events.roles import MANAGERS
from jointoit.journal import feed, reader
from jointoit.journal.feed import AHEAD, FACTS
from jointoit.webhooks.models import Position
from jointoit.webhooks.policy import GIVE_UP_AFTER

BATCH: Final = 500
#: Facts that are told to nobody are read as well, but none while there is nobody to tell.
TOLD: Final = f"""
    SELECT {FACTS}, ARRAY(
        SELECT webhook.id FROM events_event AS event
        JOIN webhooks_webhook AS webhook ON webhook.owner_id IN ({MANAGERS})
        JOIN accounts_user AS owner ON owner.id = webhook.owner_id AND owner.is_active
        WHERE event.id = fact.event_id AND webhook.enabled AND fact.type = ANY(webhook.types)
          AND (webhook.events IS NULL OR fact.event_id = ANY(webhook.events))
        ORDER BY webhook.id
    ) AS webhooks
    FROM journal_fact AS fact WHERE EXISTS (SELECT FROM webhooks_webhook WHERE enabled) AND {AHEAD}
    ORDER BY fact.transaction, fact.id LIMIT {BATCH + 1}
"""
INSERT: Final = """
    INSERT INTO webhooks_message (webhook_id, fact_id, event_id, type, body, give_up_at)
    SELECT webhook_id, fact_id, event_id, type, body, now() + %s::interval
    FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::text[]) WITH ORDINALITY
         AS message (webhook_id, fact_id, event_id, type, body, place)
    WHERE EXISTS (SELECT FROM webhooks_webhook WHERE id = message.webhook_id)
    ORDER BY place
    ON CONFLICT (webhook_id, fact_id) DO NOTHING
"""


def fan_out(*, limit: int = BATCH) -> int:
    """Make messages of the next facts; returns how many facts there were. Who finds another at it does nothing."""
    with transaction.atomic():
        rows = feed.follow(Position, TOLD, size=limit)
        insert([(webhook, row) for row in rows for webhook in row["webhooks"]])
    return len(rows)


def begin() -> None:
    feed.begin(Position)


def insert(told: list[tuple[int, Row]]) -> None:
    if not told:
        return
    bodies = {row["id"]: body_of(row["type"], row["at"], reader.members(row)) for _, row in told}
    columns = zip(*((webhook, row["id"], row["event_id"], row["type"], bodies[row["id"]]) for webhook, row in told),
                  strict=True)  # fmt: skip
    values: list[Any] = [GIVE_UP_AFTER, *map(list, columns)]
    with connection.cursor() as cursor:
        cursor.execute(INSERT, values)


def body_of(type_: str, at: Any, data: Any) -> str:
    """What is signed and sent: the members that Standard Webhooks wants, and a fact as the feed gives it."""
    return to_json({"type": type_, "timestamp": at, "data": data}).decode()
