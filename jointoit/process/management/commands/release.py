"""The release step: the tables as this code needs them, and the rights of the role that the service uses."""

from typing import Any

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection
from psycopg import sql

#: All that the service does with rows; to change the tables themselves stays with their owner.
RIGHTS = (
    "GRANT USAGE ON SCHEMA public TO {role}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
    "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}",
)


class Command(BaseCommand):
    help = (
        "Migrate the database and, with DATABASE_OWNER_URL, give the role of DATABASE_URL its rights. Safe to repeat."
    )

    def handle(self, *, verbosity: int, **_: Any) -> None:
        call_command("migrate", verbosity=verbosity)
        if settings.DATABASE_OWNER_URL:
            role, password = settings.SERVICE_ROLE
            give_rights(role, password=password)
            self.stdout.write(f"The role {role} may read and write rows, and nothing else.")


def give_rights(role: str, *, password: str) -> None:
    """Make the role where it is missing, let it in by this password, and give it its rights.

    The password leaves this process as a hash (SCRAM), so that no log of the server shows it.
    """
    connection.ensure_connection()
    raw: psycopg.Connection[Any] = connection.connection
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = %s)", [role])
        (exists,) = cursor.fetchone()
    hashed = raw.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    verb = "ALTER" if exists else "CREATE"
    name = sql.Identifier(role)
    with raw.cursor() as plain:
        if password:
            plain.execute(sql.SQL(verb + " ROLE {} LOGIN PASSWORD {}").format(name, sql.Literal(hashed)))
        for right in RIGHTS:
            plain.execute(sql.SQL(right).format(role=name))
