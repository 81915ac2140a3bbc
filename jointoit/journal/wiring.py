"""What operators watch of the journal."""

from collections.abc import Iterable

from django.db import connection
from prometheus_client.core import GaugeMetricFamily, Metric

from jointoit.api.observability import metrics

SIZE = "SELECT greatest(reltuples, 0), pg_total_relation_size(oid) FROM pg_class WHERE relname = 'journal_fact'"


def size() -> Iterable[Metric]:
    """As PostgreSQL estimates it: to count every row would read the whole table."""
    with connection.cursor() as cursor:
        cursor.execute(SIZE)
        facts, size = cursor.fetchone()
    yield GaugeMetricFamily("jointoit_journal_facts", "Facts in the journal, estimated.", facts)
    yield GaugeMetricFamily("jointoit_journal_bytes", "Size of the journal with its indexes.", size)


metrics.register(size)
