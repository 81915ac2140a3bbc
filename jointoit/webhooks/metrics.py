"""What operators watch of webhooks: attempts by result, what waits and how late it is, how many addresses fail."""

from collections.abc import Iterable

from django.db import connection
from prometheus_client import Counter
from prometheus_client.core import GaugeMetricFamily, Metric

attempts = Counter("jointoit_webhook_attempts_total", "Messages posted to webhooks, by what came of it.", ["result"])
FIGURES = """
    SELECT (SELECT count(*) FROM webhooks_message WHERE state = 'pending'),
           (SELECT coalesce(extract(epoch FROM now() - min(message.not_before)), 0)
            FROM webhooks_message AS message JOIN webhooks_webhook AS webhook ON webhook.id = message.webhook_id
            WHERE message.state = 'pending' AND message.not_before <= now() AND webhook.enabled
              AND webhook.paused_until IS NULL),
           (SELECT count(*) FROM webhooks_webhook WHERE enabled AND failing_since IS NOT NULL),
           (SELECT count(*) FROM webhooks_webhook WHERE NOT enabled)
"""
NAMES = (
    ("jointoit_webhook_pending", "Messages that wait."),
    ("jointoit_webhook_oldest_seconds", "How late the message is that waits longest for an address that is well."),
    ("jointoit_webhook_failing", "Webhooks whose last attempt failed."),
    ("jointoit_webhook_disabled", "Webhooks that nothing is sent to."),
)


def figures() -> Iterable[Metric]:
    with connection.cursor() as cursor:
        cursor.execute(FIGURES)
        for (name, text), value in zip(NAMES, cursor.fetchone(), strict=True):
            yield GaugeMetricFamily(name, text, value)
