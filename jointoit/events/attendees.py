"""Lists as files: streamed row by row, and safe to open in a spreadsheet."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.http import StreamingHttpResponse
from rest_framework.renderers import BaseRenderer

from jointoit.api.fields import DateTimeField

TIME = DateTimeField()
COLUMNS = ("id", "username", "first_name", "last_name", "email", "status", "position", "registered_at", "updated_at")


class AttendeeCSVRenderer(BaseRenderer):
    """Lets `Accept: text/csv` choose the file; the view streams it itself."""

    media_type = "text/csv"
    format = "csv"
    charset = "utf-8"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        raise NotImplementedError("The view streams its rows and never comes here with data.")


class Line:
    """What csv.writer writes to: hands each line back instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def as_csv(rows: Iterable[Mapping[str, object]], columns: Sequence[str] = COLUMNS) -> Iterator[str]:
    """Yield the lines of the file (RFC 4180), the header first."""
    writer = csv.writer(Line())
    yield writer.writerow(columns)
    for row in rows:
        yield writer.writerow([harmless(row[name]) for name in columns])


def streamed(lines: Iterator[str], *, name: str) -> StreamingHttpResponse:
    """Send the file while it is read."""
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8; header=present")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def harmless(cell: object) -> str:
    """As text. Keeps a spreadsheet from running what somebody typed as a formula (OWASP, CSV Injection)."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return TIME.to_representation(cell)
    text = str(cell)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
