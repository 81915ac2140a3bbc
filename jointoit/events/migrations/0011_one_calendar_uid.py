from django.db import migrations, models


class Migration(migrations.Migration):
    """Who was confirmed before this release keeps the UID that their calendar has."""

    dependencies = [
        ("events", "0010_index_of_what_is_running"),
    ]

    operations = [
        migrations.AddField(
            model_name="registration",
            name="has_event_uid",
            field=models.BooleanField(
                db_default=False,
                default=False,
                editable=False,
                help_text="Whether calendars know it by the event's UID: from its first confirmation on, unless an earlier "
                "release wrote that with a UID of the registration's own.",
            ),
        ),
    ]
