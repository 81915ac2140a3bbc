"""Statements that clients repeat by the thousand: written once by Django, planned once by PostgreSQL.

Putting a queryset together and writing its SQL takes Django as long as PostgreSQL takes to answer a page of a list, and
planning takes PostgreSQL as long again.
"""

from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary

import psycopg
from django.conf import settings
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.models import Expression, Field, QuerySet
from psycopg.pq import TransactionStatus
from psycopg.sql import Literal
from psycopg.types.datetime import TimestamptzLoader
from psycopg.types.numeric import Int8

Rows = TypeVar("Rows", bound=QuerySet[Any, Any])


#: Which statements a connection has run, and so knows by a name that psycopg knows too.
ran: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()


class PreparedCursor(psycopg.Cursor[Any]):
    """Lets PostgreSQL plan a statement once for each connection, where planning costs more than running it."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # Django's reads each time in Python, to name the zone of the connection, which is UTC as here.
        self.adapters.register_loader("timestamptz", TimestamptzLoader)

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        if settings.DATABASE_POOLER:  # another statement may meet another session
            return super().execute(query, params, **options)
        known = ran.setdefault(self.connection, set())
        # Only for this one: with a threshold psycopg remembers the last hundred texts, values and all.
        self.connection.prepare_threshold = 1
        try:
            done = super().execute(query, params, **{"prepare": True, **options})
        except psycopg.Error as error:
            is_outdated = isinstance(error, psycopg.errors.FeatureNotSupported)
            if is_outdated or query not in known:
                # Its plan returns what a migration has changed since, or stands there under a name that psycopg has
                # forgotten: the next request gets another connection.
                connection.close_at = 0
            if is_outdated and self.connection.info.transaction_status == TransactionStatus.IDLE:
                return super().execute(query, params, **{**options, "prepare": False})
            raise
        finally:
            self.connection.prepare_threshold = None
        known.add(query)
        return done


def prepared_cursor() -> CursorWrapper:
    """A cursor for statements that are repeated thousands of times; closes at the end of `with`.

    Like Django's own it first looks whether the connection that was kept is still good.
    """
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    with connection.wrap_database_errors:
        cursor: Any = PreparedCursor(connection.connection)
        return cast(Any, connection)._prepare_cursor(cursor)  # type: ignore[no-any-return]


class Given(Expression):
    """Stands in a queryset for a value that is known when its statement runs."""

    def __init__(self, name: str, output_field: Field[Any, Any]) -> None:
        super().__init__(output_field=output_field)
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        return "%s", [self]


class Statement:
    """The SQL of a queryset of `.values()`. What is not `Given` stands in it, so that partial indexes are found."""

    def __init__(self, queryset: QuerySet[Any, Any]) -> None:
        sql, params = queryset.query.sql_with_params()
        self.names = list(queryset.query.selected or ())
        self.fields = {param.name: param.output_field for param in params if isinstance(param, Given)}
        self.sql = sql.replace("%%", "%%%%") % tuple(map(written, params))

    def rows(self, **given: Any) -> list[dict[str, Any]]:
        """Run it with a value for each `Given`. Raises what Django raises for a database that does not answer."""
        values = {
            name: of_one_width(field.get_db_prep_value(given[name], connection)) for name, field in self.fields.items()
        }
        with prepared_cursor() as cursor:
            cursor.execute(self.sql, values)
            return [dict(zip(self.names, row, strict=True)) for row in cursor.fetchall()]


def written(param: Any) -> str:
    """How a parameter stands in the text: a name for what is to be given, else the value itself."""
    return f"%({param.name})s" if isinstance(param, Given) else Literal(param).as_string().replace("%", "%%")


def of_one_width(value: Any) -> Any:
    """An integer as bigint: psycopg would choose the type by its size, and PostgreSQL prepare each anew."""
    return Int8(value) if isinstance(value, int) else value


def standing(queryset: Rows) -> Rows:
    """Mark a queryset that is the same at every request: pages of it become statements. What is made from it is not."""
    queryset.is_standing = True  # type: ignore[attr-defined]
    return queryset


def is_standing(queryset: QuerySet[Any, Any]) -> bool:
    return getattr(queryset, "is_standing", False)
