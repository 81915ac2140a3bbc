"""An index for each filter and each order of the list, built while the service runs.

A build that breaks off leaves an INVALID index behind, and the migration unapplied. To migrate again is enough: each
step drops what an earlier run has left of its index before it builds it.
"""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import migrations, models
from django.db.models.functions import Left

from jointoit.api.postgresql.build_index import BuildIndex


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("events", "0003_fill_search_columns")]

    operations = [
        BuildIndex(
            model_name="event",
            index=models.Index(
                models.F("status"),
                models.F("date"),
                models.F("id"),
                condition=models.Q(("deleted_at", None)),
                name="event_status_date",
            ),
        ),
        BuildIndex(
            model_name="event",
            index=models.Index(
                models.F("created_at"), models.F("id"), condition=models.Q(("deleted_at", None)), name="event_created"
            ),
        ),
        BuildIndex(
            model_name="event",
            index=models.Index(
                Left("title_folded", 255), models.F("id"), condition=models.Q(("deleted_at", None)), name="event_title"
            ),
        ),
        BuildIndex(
            model_name="event",
            index=GinIndex(models.F("tags"), name="event_tags"),
        ),
        BuildIndex(
            model_name="event",
            index=GinIndex(OpClass(models.F("title_folded"), name="gin_trgm_ops"), name="event_title_parts"),
        ),
        BuildIndex(
            model_name="event",
            index=GinIndex(OpClass(models.F("location_folded"), name="gin_trgm_ops"), name="event_location_parts"),
        ),
        migrations.RunSQL(
            [
                "DROP INDEX CONCURRENTLY IF EXISTS event_words",
                "CREATE INDEX CONCURRENTLY event_words ON events_event USING gin (words)",
            ],
            "DROP INDEX CONCURRENTLY event_words",
        ),
        migrations.RunSQL(
            [
                "DROP INDEX CONCURRENTLY IF EXISTS event_full",
                "CREATE INDEX CONCURRENTLY event_full ON events_event (date, id) WHERE is_full AND deleted_at IS NULL",
            ],
            "DROP INDEX CONCURRENTLY event_full",
        ),
    ]
