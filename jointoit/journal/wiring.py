"""What operators watch of the journal."""

from collections.abc import Iterable

from django.db import connection
from prometheus_client.core import GaugeMetricFamily, Metric

from jointoit.api.observability import metrics
from jointoit.journal import feed
from jointoit.process import periodic

SIZE = "SELECT greatest(reltuples, 0), pg_total_relation_size(oid) FROM pg_class WHERE relname = 'journal_fact'"


def size() -> Iterable[Metric]:
    """As PostgreSQL estimates it: to count every row would read the whole table."""
    with connection.cursor() as cursor:
        cursor.execute(SIZE)
        facts, size = cursor.fetchone()
    yield GaugeMetricFamily("jointoit_journal_facts", "Facts in the journal, estimated.", facts)
    yield GaugeMetricFamily("jointoit_journal_bytes", "Size of the journal with its indexes.", size)


LAG = f"""
    SELECT coalesce(extract(epoch FROM now() - min(at)), 0) FROM journal_fact WHERE transaction >= {feed.HORIZON}
"""


def lag() -> Iterable[Metric]:
    """Long where a transaction that wrote something stays open, in this database or, unknown to us, beside it."""
    with connection.cursor() as cursor:
        cursor.execute(LAG)
        (seconds,) = cursor.fetchone()
    yield GaugeMetricFamily("jointoit_feed_lag_seconds", "How long the oldest fact waits to be in the feed.", seconds)


metrics.register(size)
metrics.register(lag)
periodic.register(lambda now: feed.renew(), every=periodic.ROUND)
