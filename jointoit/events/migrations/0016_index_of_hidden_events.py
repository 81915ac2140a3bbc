"""Built while the service runs; a build that broke off is begun anew."""

from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import F, Q


class BuildIndex(AddIndexConcurrently):
    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {self.index.name}")
        super().database_forwards(app_label, schema_editor, from_state, to_state)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("events", "0015_erased_at_and_hidden_status")]

    operations = [
        BuildIndex("event", models.Index(F("id"), name="event_hidden", condition=Q(hidden_status__isnull=False))),
    ]
