"""An index for each filter and each order of the list, built while the service runs.

Should one build break off, drop its index (it is left behind as INVALID) and migrate again.
"""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models.functions import Left


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("events", "0003_fill_search_columns")]

    operations = [
        AddIndexConcurrently(
            model_name="event",
            index=models.Index(
                models.F("status"),
                models.F("date"),
                models.F("id"),
                condition=models.Q(("deleted_at", None)),
                name="event_status_date",
            ),
        ),
        AddIndexConcurrently(
            model_name="event",
            index=models.Index(
                models.F("created_at"), models.F("id"), condition=models.Q(("deleted_at", None)), name="event_created"
            ),
        ),
        AddIndexConcurrently(
            model_name="event",
            index=models.Index(
                Left("title_folded", 255), models.F("id"), condition=models.Q(("deleted_at", None)), name="event_title"
            ),
        ),
        AddIndexConcurrently(
            model_name="event",
            index=GinIndex(models.F("tags"), name="event_tags"),
        ),
        AddIndexConcurrently(
            model_name="event",
            index=GinIndex(OpClass(models.F("title_folded"), name="gin_trgm_ops"), name="event_title_parts"),
        ),
        AddIndexConcurrently(
            model_name="event",
            index=GinIndex(OpClass(models.F("location_folded"), name="gin_trgm_ops"), name="event_location_parts"),
        ),
        migrations.RunSQL(
            "CREATE INDEX CONCURRENTLY event_words ON events_event USING gin (words)",
            "DROP INDEX CONCURRENTLY event_words",
        ),
        migrations.RunSQL(
            "CREATE INDEX CONCURRENTLY event_full ON events_event (date, id) WHERE is_full AND deleted_at IS NULL",
            "DROP INDEX CONCURRENTLY event_full",
        ),
    ]
