from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("events", "0014_questions"),
    ]

    operations = [
        migrations.AddField(
            model_name="event",
            name="erased_at",
            field=models.DateTimeField(
                editable=False,
                help_text="When it was forgotten who had been registered, because it was long over.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="event",
            name="hidden_status",
            field=models.CharField(
                choices=[("draft", "Draft"), ("published", "Published"), ("cancelled", "Cancelled")],
                editable=False,
                help_text="The status that it had when staff hid it; meanwhile it is a draft that nobody publishes.",
                max_length=16,
                null=True,
            ),
        ),
    ]
