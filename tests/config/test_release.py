"""During a release the processes of the old one go on running on the new schema."""

from datetime import timedelta
from typing import Any

import pytest
from django.apps.registry import Apps
from django.db import IntegrityError, connection, migrations, models, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django.utils import timezone

APPS = ("accounts", "api", "events", "mail")


def before_the_newest(app: str) -> Apps:
    """The models as code knew them that was released before the newest migration of an app."""
    loader = MigrationLoader(connection)
    ((_, newest),) = loader.graph.leaf_nodes(app)
    before = [parent.key for parent in loader.graph.node_map[app, newest].parents if parent.key[0] == app]
    others = [leaf for leaf in loader.graph.leaf_nodes() if leaf[0] != app]
    return loader.project_state((before or [(app, newest)]) + others).apps


def attribute_of(apps: Apps, name: str, column: str) -> str:
    """What the code of that time calls a column."""
    return next(str(field.attname) for field in apps.get_model(name)._meta.concrete_fields if field.column == column)


def use(apps: Apps) -> None:
    """Do with the four main tables what the service does: insert, change, read with every column."""
    now = timezone.now()
    user = create(apps, "accounts.User", username="ada", email="ada@example.org", password="!")
    event = create(
        apps, "events.Event", title="Meetup", location="Berlin", date=now + timedelta(days=7), organizer_id=user.pk
    )
    seat = create(
        apps, "events.Registration", event_id=event.pk, attendee_id=user.pk, status="confirmed",
        registered_at=now, updated_at=now,
    )  # fmt: skip
    mail = create(
        apps, "mail.OutboxMail", kind="welcome", recipient=user.email, dedupe_key="one", message_id="<1@x>", priority=1,
        give_up_at=now + timedelta(days=5), **{attribute_of(apps, "mail.OutboxMail", "facts"): {}},
    )  # fmt: skip
    changes = ((user, "first_name", "Ada"), (event, "capacity", 9), (seat, "revision", 1), (mail, "attempt", 1))
    for row, column, value in changes:
        assert type(row)._base_manager.filter(pk=row.pk).update(**{column: value}) == 1
        row.refresh_from_db()
        assert getattr(row, column) == value
    for model in apps.get_models():
        if model._meta.app_label in APPS:
            list(model._base_manager.all())


def create(apps: Apps, name: str, **values: Any) -> Any:
    return apps.get_model(name)._base_manager.create(**values)


@pytest.mark.django_db
@pytest.mark.parametrize("app", APPS)
def test_code_of_before_the_newest_migration_writes_and_reads_the_newest_schema(app: str) -> None:
    use(before_the_newest(app))


@pytest.mark.django_db
def test_a_column_that_old_code_cannot_fill_would_be_found() -> None:
    apps = before_the_newest("events")
    state = ProjectState.from_apps(apps)
    added = migrations.AddField("event", "shade", models.TextField(default="blue"))
    after = state.clone()
    added.state_forwards("events", after)
    with connection.schema_editor() as editor:
        added.database_forwards("events", editor, state, after)

    with pytest.raises(IntegrityError, match="shade"), transaction.atomic():
        use(apps)
