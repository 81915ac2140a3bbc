"""What check-in asks of events and registrations: when the door opens and closes, and which issue of a ticket is good."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("events", "0012_verified_only")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="event",
            name="checkin_opens_at",
            field=models.DateTimeField(blank=True, null=True, help_text="Empty: three hours before the start."),
        ),
        migrations.AddField(
            model_name="event",
            name="checkin_closes_at",
            field=models.DateTimeField(
                blank=True, null=True, help_text="Empty: at the end or, without one, 24 hours after the start."
            ),
        ),
        migrations.AddField(
            model_name="registration",
            name="ticket_issue",
            field=models.IntegerField(
                default=1,
                db_default=1,
                editable=False,
                help_text="Grows when the ticket is replaced; earlier ones are void.",
            ),
        ),
    ]
