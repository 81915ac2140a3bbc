from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.models import F


class BuildIndex(AddIndexConcurrently):
    """Drops what a build that broke off has left of it."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {self.index.name}")
        super().database_forwards(app_label, schema_editor, from_state, to_state)


class Migration(migrations.Migration):
    """The mails to one person about one topic are found by one index, which also finds all to a person."""

    atomic = False  # the index is built while others write
    dependencies = [("mail", "0005_place")]

    operations = [
        migrations.AddField(
            "outboxmail",
            "topic",
            models.CharField(
                max_length=64,
                db_default="",
                help_text="What it is about; mails of one topic reach a person in their order.",
            ),
        ),
        BuildIndex("outboxmail", models.Index(F("recipient"), F("topic"), F("state"), F("id"), name="outbox_line")),
        RemoveIndexConcurrently("outboxmail", "outbox_recipient"),
    ]
