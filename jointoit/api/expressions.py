"""SQL that querysets take as it is."""

from typing import Any, Self

from django.db import models
from django.db.models.expressions import Expression


class TableExpression(Expression):
    """SQL over the columns of the queried table, written once; `{table}` stands for its alias."""

    def __init__(self, sql: str, output_field: "models.Field[Any, Any]") -> None:
        super().__init__(output_field=output_field)
        self.sql, self.table = sql, ""

    def resolve_expression(self, query: Any = None, *args: Any, **kwargs: Any) -> Self:
        resolved = super().resolve_expression(query, *args, **kwargs)
        resolved.table = query.get_initial_alias()
        return resolved

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[str | int, ...]]:
        return self.sql.format(table=connection.ops.quote_name(self.table)), ()
