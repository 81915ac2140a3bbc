"""SQL that is written once and asked by the thousand.

To put a queryset together and write its SQL takes Django longer than PostgreSQL takes to answer a page of a list, and a
new cursor for each question longer than the question. So a thread keeps one cursor of psycopg with its connection.
"""

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import count
from typing import Any, TypeVar

import psycopg
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, NotSupportedError, connections
from django.db.models import Model
from psycopg.rows import DictRow, dict_row
from psycopg.types.datetime import TimestamptzLoader
from psycopg.types.numeric import Int8Dumper

Row = DictRow
Instance = TypeVar("Instance", bound=Model)


class PlainCursor(psycopg.Cursor[Any]):
    """Times are read by psycopg's own loader, every integer is a bigint.

    Django's loader of times is written in Python, to name the zone of the connection, which is UTC here. psycopg would
    choose the type of an integer by its size, and PostgreSQL would prepare the same statement for each.
    """

    def __init__(self, connection: psycopg.Connection[Any], **options: Any) -> None:
        super().__init__(connection, **options)
        self.adapters.register_loader("timestamptz", TimestamptzLoader)
        self.adapters.register_dumper(int, Int8Dumper)


class PreparingCursor(PlainCursor):
    """Prepares each statement, on a connection for which Django has switched that off.

    Were it on for all, psycopg would keep the last hundred texts, and Django's have their values in them.
    """

    def execute(self, query: Any, params: Any = None, *, prepare: bool | None = True, binary: Any = None) -> Any:
        self.connection.prepare_threshold = 0
        try:
            return super().execute(query, params, prepare=prepare, binary=binary)
        finally:
            self.connection.prepare_threshold = None


kept = threading.local()
streams = count(1)


def cursor_of(db: Any, kind: type[PlainCursor]) -> PlainCursor:
    """This thread's cursor of that kind on the connection that Django has now."""
    name = f"{db.alias}:{kind.__name__}"
    cursor: PlainCursor | None = vars(kept).get(name)
    if cursor is None or cursor.connection is not db.connection:
        cursor = vars(kept)[name] = kind(db.connection)
    return cursor


class PreparedQuery:
    """A statement with `%(name)s` for each value.

    With `prepare` PostgreSQL reads and plans it once for each connection: for statements that have one good plan.
    Without, it plans with the values in sight each time, as among rows of which some values have a million.
    """

    def __init__(self, sql: str, *, prepare: bool = True) -> None:
        self.sql = sql
        self.prepare = prepare
        self.names: list[str] = []  # of the columns, known once it has run

    def rows(self, values: Mapping[str, Any], *, using: str = DEFAULT_DB_ALIAS) -> list[Row]:
        """All rows. Raises django.db.Error, as Django's own cursors do."""
        try:
            return self.fetch(values, using)
        except NotSupportedError:  # a migration changed a column under a plan that this connection has kept
            db: Any = connections[using]
            if db.in_atomic_block:
                raise
            db.connection.close()  # given back to a pool as it is, it would be lent again
            db.close()
            return self.fetch(values, using, prepare=False)

    def row(self, values: Mapping[str, Any], *, using: str = DEFAULT_DB_ALIAS) -> Row | None:
        """The first row, if there is one."""
        return next(iter(self.rows(values, using=using)), None)

    def fetch(self, values: Mapping[str, Any], using: str, *, prepare: bool = True) -> list[Row]:
        db: Any = connections[using]
        db.close_if_health_check_failed()  # the two things that Django does before it gives out a cursor
        db.ensure_connection()
        # Behind a pooler the next statement meets another session.
        prepare = prepare and self.prepare and not settings.DATABASE_POOLER
        cursor = cursor_of(db, PreparingCursor if prepare else PlainCursor)
        # Wrapped, it is seen by execute wrappers, by those who count queries, and its errors are Django's.
        wrapped = db.make_debug_cursor(cursor) if db.queries_logged else db.make_cursor(cursor)
        wrapped.execute(self.sql, values)
        if not self.names:
            self.names = [column.name for column in cursor.description or ()]
        names = self.names
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def stream(self, values: Mapping[str, Any], *, size: int = 1000) -> Iterator[Row]:
        """The rows, with `size` of them in memory at a time; all of them where a pooler keeps no cursors open."""
        db: Any = connections[DEFAULT_DB_ALIAS]
        db.ensure_connection()
        name = None if db.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS") else f"stream_{next(streams)}"
        cursor = named_cursor(db.connection, name)
        cursor.itersize = size
        with closing(cursor), db.wrap_database_errors:
            db.make_cursor(cursor).execute(self.sql, values)
            yield from cursor


# ── Rows of models ────────────────────────────────────────────────────────────────────────────────────────────────────


def attributes_of(model: type[Model]) -> list[str]:
    """Those that hold the columns."""
    return [each.attname for each in model._meta.concrete_fields]


def columns_of(model: type[Model], table: str, names: Iterable[str] = (), *, prefix: str = "") -> str:
    """What SELECT says for columns of a model, named as its attributes are; for all of them, where none is named.

    With a `prefix`, rows of several models fit into one row.
    """
    return ", ".join(f"{table}.{name} AS {prefix}{name}" for name in names or attributes_of(model))


def instance_of(model: type[Instance], row: Row, names: Sequence[str] = (), *, prefix: str = "") -> Instance:
    """What `columns_of` said, as an instance; columns that were left out are deferred."""
    names = names or attributes_of(model)
    return model.from_db(DEFAULT_DB_ALIAS, names, [row[f"{prefix}{name}"] for name in names])


def named_cursor(connection: psycopg.Connection[Any], name: str | None) -> Any:
    """`withhold`: it outlives the transaction of its first statement, which outside of `atomic` ends at once."""
    cursor: Any = (
        connection.cursor(name, row_factory=dict_row, withhold=True)
        if name
        else PlainCursor(connection, row_factory=dict_row)
    )
    cursor.adapters.register_loader("timestamptz", TimestamptzLoader)
    return cursor
