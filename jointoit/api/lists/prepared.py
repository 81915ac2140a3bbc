"""Statements that clients repeat by the thousand: written once by Django, then run as they are.

Putting a queryset together and writing its SQL takes Django longer than PostgreSQL takes to answer a page of a list.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import Expression, Field, Model, QuerySet
from django.db.models.base import ModelState
from psycopg.sql import Literal
from psycopg.types.numeric import Int8

from jointoit.api.postgresql.cursors import StatementCursor

Rows = TypeVar("Rows", bound=QuerySet[Any, Any])
Row = TypeVar("Row", bound=Model)


def run(sql: str, values: Mapping[str, Any] | None = None, *, keeps_plan: bool = True) -> list[tuple[Any, ...]]:
    """The rows of a statement that is repeated thousands of times, with `%(name)s` for each of the values.

    Like Django it first looks whether the connection that was kept is still good, and raises Django's errors.
    """
    own: Any = connections[DEFAULT_DB_ALIAS]  # each look at `connection` is a look for the thread's own
    own.close_if_health_check_failed()
    own.ensure_connection()
    cursor: Any = StatementCursor(own.connection, keeps_plan=keeps_plan)
    if own.execute_wrappers or own.queries_logged:
        cursor = own._prepare_cursor(cursor)
    own.validate_no_broken_transaction()
    with own.wrap_database_errors:
        return cursor.execute(sql, values)  # type: ignore[no-any-return]


def instance(model: type[Row], names: Iterable[str], values: Iterable[Any], **related: Model) -> Row:
    """A row of `model` as `from_db` makes it, in a quarter of the time: by its columns, those not named deferred.

    Nobody is told (`pre_init`, `post_init`). `related` are the rows that its foreign keys refer to.
    """
    made = model.__new__(model)
    made._state = ModelState()
    made._state.adding, made._state.db = False, DEFAULT_DB_ALIAS
    vars(made).update(zip(names, values, strict=True))
    for name, row in related.items():
        field: Any = model._meta.get_field(name)
        vars(made)[field.attname] = row.pk
        field.set_cached_value(made, row)
    return made


class Given(Expression):
    """Stands in a queryset for a value that is known when its statement runs."""

    def __init__(self, name: str, output_field: Field[Any, Any]) -> None:
        super().__init__(output_field=output_field)
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        return "%s", [self]


class Statement:
    """The SQL of a queryset of `.values()`. What is not `Given` stands in it, so that partial indexes are found.

    Its plan is kept unless the best one depends on what is given, as among rows of which some values have a million.
    """

    def __init__(self, queryset: QuerySet[Any, Any], *, keeps_plan: bool = True) -> None:
        sql, params = queryset.query.sql_with_params()
        self.names = list(queryset.query.selected or ())
        self.fields = {param.name: param.output_field for param in params if isinstance(param, Given)}
        self.sql = sql.replace("%%", "%%%%") % tuple(map(written, params))
        self.keeps_plan = keeps_plan

    def rows(self, **given: Any) -> list[dict[str, Any]]:
        """Run it with a value for each `Given`. Raises what Django raises for a database that does not answer."""
        values = {
            name: of_one_width(field.get_db_prep_value(given[name], connection)) for name, field in self.fields.items()
        }
        found = run(self.sql, values, keeps_plan=self.keeps_plan)
        return [dict(zip(self.names, row, strict=True)) for row in found]


def written(param: Any) -> str:
    """How a parameter stands in the text: a name for what is to be given, else the value itself."""
    return f"%({param.name})s" if isinstance(param, Given) else Literal(param).as_string().replace("%", "%%")


def of_one_width(value: Any) -> Any:
    """An integer as bigint: psycopg would choose the type by its size, and PostgreSQL prepare each anew."""
    return Int8(value) if isinstance(value, int) else value


@dataclass(frozen=True)
class Repeated(Generic[Rows]):
    """A list that clients ask for again and again, at most with other values.

    Pages of the usual size come from `standing`, the same queryset each time, with `given` for what is `Given` in it.
    For all else `build` puts an ordinary queryset together.
    """

    standing: Rows
    build: Callable[[], Rows]
    given: Mapping[str, Any]
    keeps_plan: bool = True
