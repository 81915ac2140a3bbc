"""Objects that PostgreSQL writes as JSON: an answer passes through Python as one text, not as rows, dicts and dates.

Which members an object has, and how each is written, is said by its serializer alone; the schema comes from there too.
"""

from collections.abc import Mapping
from typing import Any

import orjson
from django.db import models
from rest_framework import serializers

from jointoit.api.expressions import TableExpression

#: RFC 3339 in UTC, the fraction in six digits or left out: the way in which orjson writes a time.
TIME = (
    "to_char({0} AT TIME ZONE 'UTC', CASE WHEN {0} = date_trunc('second', {0}) "
    """THEN 'YYYY-MM-DD"T"HH24:MI:SS"Z"' ELSE 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"' END)"""
)


def document_of(
    serializer: type[serializers.Serializer[Any]],
    model: type[models.Model],
    computed: Mapping[str, str],
) -> TableExpression:
    """One JSON object, as text, with the members of `serializer`.

    The source of a member is a column of the model, or stands in `computed` as SQL over `{table}`.
    """
    members = []
    for name, field in serializer().fields.items():
        source = str(field.source)
        sql = computed.get(source) or f'{{table}}."{model._meta.get_field(source).column}"'  # type: ignore[union-attr]
        members.append(f"'{name}', {TIME.format(sql) if isinstance(field, serializers.DateTimeField) else sql}")
    return TableExpression(f"json_build_object({', '.join(members)})::text", models.TextField())


def written(document: str) -> orjson.Fragment:
    """For the renderer: what PostgreSQL wrote, as it is."""
    return orjson.Fragment(document)
