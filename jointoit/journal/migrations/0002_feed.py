"""What the feed needs. Indexes are built while the service runs; a build that broke off is begun anew."""

from django.contrib.postgres.operations import RemoveIndexConcurrently
from django.db import migrations, models
from django.db.models import F, Func, Q

from jointoit.api.postgresql.build_index import BuildIndex


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("journal", "0001_initial")]

    operations = [
        migrations.AddField(
            "fact",
            "public",
            models.BooleanField(
                db_default=False,
                help_text="Of a published event, and about the event itself: anybody reads it in the feed.",
            ),
        ),
        BuildIndex("fact", models.Index(F("event_id"), F("transaction"), F("id"), name="fact_event_feed")),
        BuildIndex("fact", models.Index(F("transaction"), F("id"), name="fact_public", condition=Q(public=True))),
        RemoveIndexConcurrently("fact", "fact_event"),
        migrations.CreateModel(
            name="FeedState",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("home", models.TextField(help_text="Server, database and timeline that it was written in.")),
                (
                    "era",
                    models.UUIDField(db_default=Func(function="gen_random_uuid"), help_text="In every cursor."),
                ),
                ("pruned", models.BigIntegerField(default=0, help_text="How many events were forgotten so far.")),
                (
                    "pruned_transaction",
                    models.BigIntegerField(default=0, help_text="Up to where facts were forgotten."),
                ),
                ("pruned_id", models.BigIntegerField(default=0)),
            ],
            options={
                "verbose_name": "feed state",
                "verbose_name_plural": "feed state",
                "constraints": [models.CheckConstraint(condition=Q(("id", 1)), name="feed_state_is_one_row")],
            },
        ),
    ]
