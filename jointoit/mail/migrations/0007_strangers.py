from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    """What is held back from addresses that nobody has verified, and what people want no mail of."""

    dependencies = [("mail", "0006_topic")]

    operations = [
        migrations.AddField(
            "outboxmail",
            "held_at",
            models.DateTimeField(
                null=True, editable=False, help_text="Since when it waits for its address to be verified."
            ),
        ),
        migrations.CreateModel(
            "MailStop",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.CharField(max_length=64)),
                (
                    "topic",
                    models.CharField(max_length=64, help_text="An event, as in the outbox; `service`, or `all`."),
                ),
                ("created_at", models.DateTimeField(db_default=Now(), editable=False)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("digest", "topic"), name="mail_stop_once")],
            },
        ),
    ]
