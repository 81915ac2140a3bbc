"""Lists as files: streamed row by row, and safe to open in a spreadsheet."""

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.http import StreamingHttpResponse
from rest_framework.renderers import BaseRenderer

from jointoit.events.models import Question

#: What stands before a formula: the beginning or a separator, and what nobody sees. No separator counts as the latter:
#: a cell of nothing but line breaks would be looked through from each of them.
FORMULA: Final = re.compile(
    "((?:^|[;,|\t\r\n])(?:(?![\t\r\n])[\\s\"'\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff])*)"
    "([=+@\t\r\uff1d\uff0b\uff0d\uff20\u2212\ufe62\ufe63\ufe66\ufe6b-])"
)
TIMES: Final = ("registered_at", "updated_at")
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
    """Yield the lines of the file (RFC 4180), the header first, with a byte order mark so that Excel reads UTF-8."""
    writer = csv.writer(Line(), quoting=csv.QUOTE_ALL)
    yield f"\ufeff{writer.writerow(map(harmless, columns))}"  # questions are in their words
    for row in rows:
        yield writer.writerow([harmless(row.get(name)) for name in columns])


def attendee_rows(
    rows: Iterable[Mapping[str, Any]], *, zone: str, questions: Sequence[Question]
) -> Iterator[dict[str, object]]:
    """The rows of an attendee list with its times at the place of the event too, and the answers by their questions."""
    local = ZoneInfo(zone)
    for row in rows:
        given = json.loads(row["answers"]) if isinstance(row["answers"], str) else row["answers"]
        times = {f"{name}_local": row[name].astimezone(local).strftime("%Y-%m-%d %H:%M:%S") for name in TIMES}
        yield {**row, **times, **{label(each): written(given.get(str(each.pk))) for each in questions}}


def attendee_columns(questions: Sequence[Question]) -> list[str]:
    return [*COLUMNS, *(f"{name}_local" for name in TIMES), *map(label, questions)]


def label(question: Question) -> str:
    """As the header of a column: two questions may read alike."""
    return f"{question.label} (question {question.pk})"


def written(answer: object) -> object:
    if isinstance(answer, list):
        return ", ".join(map(str, answer))
    return "yes" if answer is True else answer


def streamed(lines: Iterator[str], *, name: str) -> StreamingHttpResponse:
    """Send the file while it is read."""
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8; header=present")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def harmless(cell: object) -> str:
    """As text. Keeps a spreadsheet from running what somebody typed as a formula (OWASP, CSV Injection).

    A sign that begins one counts in any width, behind what is invisible, and behind whatever another program may take
    for the end of a cell.
    """
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return FORMULA.sub(r"\1'\2", str(cell))
