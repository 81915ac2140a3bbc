"""The attendee list as a file: streamed row by row, and safe to open in a spreadsheet."""

import csv
from collections.abc import Iterable, Iterator
from typing import Any

from rest_framework.renderers import BaseRenderer

from jointoit.events.models import Registration

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


def as_csv(registrations: Iterable[Registration]) -> Iterator[str]:
    """Yield the lines of the file (RFC 4180), the header first, one registration at a time."""
    writer = csv.writer(Line())
    yield writer.writerow(COLUMNS)
    for registration in registrations:
        yield writer.writerow([harmless(cell) for cell in cells(registration)])


def cells(registration: Registration) -> tuple[object, ...]:
    person = registration.attendee
    return (
        registration.pk,
        person.username,
        person.first_name,
        person.last_name,
        person.email,
        registration.status,
        registration.position or "",
        registration.registered_at.isoformat(),
        registration.updated_at.isoformat(),
    )


def harmless(cell: object) -> str:
    """Keep a spreadsheet from running what somebody typed as a formula (OWASP, CSV Injection)."""
    text = str(cell)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
