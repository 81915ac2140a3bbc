"""Built while the service runs; a build that broke off is begun anew."""

from django.db import migrations, models
from django.db.models import F, Q

from jointoit.api.postgresql.build_index import BuildIndex


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("events", "0015_erased_at_and_hidden_status")]

    operations = [
        BuildIndex("event", models.Index(F("id"), name="event_hidden", condition=Q(hidden_status__isnull=False))),
    ]
