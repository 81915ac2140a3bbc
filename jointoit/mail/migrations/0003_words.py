from django.db import migrations, models


class Migration(migrations.Migration):
    """Names in Python alone: columns and table stay what they are, for the code of the release before."""

    dependencies = [("mail", "0002_gate_row")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameField("outboxmail", "facts", "payload"),
                migrations.AlterField(
                    "outboxmail",
                    "payload",
                    models.JSONField(db_column="facts", help_text="The message as it was when it was promised."),
                ),
                migrations.RenameModel("MailGate", "SendControl"),
                migrations.AlterModelTable("SendControl", "mail_mailgate"),
                migrations.AlterModelOptions(
                    "SendControl", {"verbose_name": "send control", "verbose_name_plural": "send control"}
                ),
                migrations.RenameField("sendcontrol", "ill_since", "down_since"),
                migrations.RenameField("sendcontrol", "ill_answer", "down_answer"),
                migrations.AlterField(
                    "sendcontrol",
                    "down_since",
                    models.DateTimeField(
                        null=True, db_column="ill_since", help_text="Since when the mail server does not serve us."
                    ),
                ),
                migrations.AlterField(
                    "sendcontrol",
                    "down_answer",
                    models.TextField(blank=True, default="", db_column="ill_answer", help_text="What it said or did."),
                ),
            ],
        )
    ]
