"""Let the triggers of 0002 see the rows that were there before them, a thousand in a transaction."""

from typing import Any

from django.db import migrations

BATCH = 1000


def fill(apps: Any, schema_editor: Any) -> None:
    """Safe to stop and to start again: what is filled is passed over."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT COALESCE(max(id), 0) FROM events_event")
        (last,) = cursor.fetchone()
        for start in range(0, last, BATCH):
            cursor.execute(
                "UPDATE events_event SET title_folded = title_folded, seats_taken = seats_taken "
                "WHERE id > %s AND id <= %s AND (words IS NULL OR is_full IS NULL)",
                [start, start + BATCH],
            )


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("events", "0002_search_columns")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
