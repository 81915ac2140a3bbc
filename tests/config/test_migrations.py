"""Migrations follow the models, and none of them holds a lock that a running service would feel."""

import pytest
from django.core.management import call_command
from django_migration_linter import MigrationLinter

from config.env import ROOT

APPS = ["accounts", "api", "events", "journal", "mail", "webhooks"]


@pytest.mark.django_db
def test_no_model_is_ahead_of_its_migrations() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


@pytest.mark.django_db(transaction=True)  # an index that is built while others write cannot be built inside one
def test_the_old_code_runs_on_the_new_schema(capsys: pytest.CaptureFixture[str]) -> None:
    linter = MigrationLinter(str(ROOT), include_apps=APPS, no_cache=True, ignore_initial_migrations=True)

    linter.lint_all_migrations()

    assert not linter.has_errors, capsys.readouterr().out
