from django.db import migrations

TEXTS = ("title_folded", "location_folded")


def per_column(target: int) -> str:
    return ", ".join(f"ALTER COLUMN {column} SET STATISTICS {target}" for column in TEXTS)


class Migration(migrations.Migration):
    """A part of a text that one row in a hundred has: whether to collect those rows or to walk along the dates until a
    page is full is guessed from a sample, and a hundred values are too few for that. Locks out nobody who reads or writes.
    """

    dependencies = [
        ("events", "0006_wants_reminder"),
    ]

    operations = [
        migrations.RunSQL(
            f"ALTER TABLE events_event {per_column(500)}",
            f"ALTER TABLE events_event {per_column(-1)}",
        ),
        migrations.RunSQL(f"ANALYZE events_event ({', '.join(TEXTS)})", migrations.RunSQL.noop),
    ]
