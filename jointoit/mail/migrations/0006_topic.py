from django.contrib.postgres.operations import RemoveIndexConcurrently
from django.db import migrations, models
from django.db.models import F

from jointoit.api.postgresql.build_index import BuildIndex


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
