from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("events", "0005_reminders"),
    ]

    operations = [
        migrations.AddField(
            model_name="registration",
            name="wants_reminder",
            field=models.BooleanField(
                db_default=True, editable=False, help_text="Off: the attendee asked for no reminder of this event."
            ),
        ),
        migrations.AlterField(
            model_name="registration",
            name="reminded_at",
            field=models.DateTimeField(editable=False, help_text="When the last reminder was promised.", null=True),
        ),
    ]
