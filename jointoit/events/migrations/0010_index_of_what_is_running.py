from django.db import migrations

BUILD = """
CREATE INDEX CONCURRENTLY event_running ON events_event USING gist (tstzrange(
    date, coalesce(ends_at, (date AT TIME ZONE 'UTC' + interval '24 hours') AT TIME ZONE 'UTC')
)) WHERE deleted_at IS NULL
"""


class Migration(migrations.Migration):
    """What has begun and is not over, found without a walk through all that has begun; built while the service runs.

    A build that breaks off leaves an INVALID index behind, and the migration unapplied: to migrate again is enough.
    """

    atomic = False
    dependencies = [
        ("events", "0009_starting_facts"),
    ]

    operations = [
        migrations.RunSQL(
            ["DROP INDEX CONCURRENTLY IF EXISTS event_running", BUILD], "DROP INDEX CONCURRENTLY event_running"
        ),
    ]
