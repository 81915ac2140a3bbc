"""Give each registration that is older than the journal one fact to start from, a thousand in a transaction."""

from typing import Any

from django.db import migrations

BATCH = 1000
START = """
    INSERT INTO journal_fact (type, at, actor_kind, event_id, registration_id, after)
    SELECT 'registration.' || status, registered_at, 'system', event_id, id, jsonb_build_object('status', status)
    FROM events_registration AS registration
    WHERE id > %s AND id <= %s
      AND NOT EXISTS (SELECT FROM journal_fact AS fact WHERE fact.registration_id = registration.id)
    ORDER BY id
"""


def start(apps: Any, schema_editor: Any) -> None:
    """Safe to stop and to start again: who has a fact is passed over."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT COALESCE(max(id), 0) FROM events_registration")
        (last,) = cursor.fetchone()
        for first in range(0, last, BATCH):
            cursor.execute(START, [first, first + BATCH])


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("events", "0008_team"), ("journal", "0001_initial")]

    operations = [migrations.RunPython(start, migrations.RunPython.noop)]
