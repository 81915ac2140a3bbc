"""Runs a management command, and says in one sentence where the database is what keeps it from its work."""

import sys
from collections.abc import Sequence

from django.core.management import execute_from_command_line
from django.db import Error

from jointoit.api import database


def run(words: Sequence[str]) -> None:
    """As Django's own; exits with status 1 and a sentence where the database is away, unknown, closed or empty."""
    try:
        execute_from_command_line(list(words))
    except Error as error:
        if not (reason := database.unusable(error)):
            raise
        sys.exit(reason)
