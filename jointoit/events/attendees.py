"""The attendee list as a file: streamed row by row, and safe to open in a spreadsheet."""

import csv
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from rest_framework.renderers import BaseRenderer

from jointoit.api.fields import DateTimeField
from jointoit.events.models import RegistrationQuerySet

TIME = DateTimeField()

#: The columns of the file, and where their cells come from.
COLUMNS = {
    "id": "id",
    "username": "attendee__username",
    "first_name": "attendee__first_name",
    "last_name": "attendee__last_name",
    "email": "attendee__email",
    "status": "status",
    "position": "position",
    "registered_at": "registered_at",
    "updated_at": "updated_at",
}


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


def as_csv(registrations: RegistrationQuerySet) -> Iterator[str]:
    """Yield the lines of the file (RFC 4180), the header first, with a thousand rows in memory at a time."""
    writer = csv.writer(Line())
    yield writer.writerow(COLUMNS)
    for row in registrations.values_list(*COLUMNS.values()).iterator(chunk_size=1000):
        yield writer.writerow([harmless(cell) for cell in row])


def harmless(cell: object) -> str:
    """As text. Keeps a spreadsheet from running what somebody typed as a formula (OWASP, CSV Injection)."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return TIME.to_representation(cell)
    text = str(cell)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
