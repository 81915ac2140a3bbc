"""What operators watch of the doors: what was decided about the tickets that were held to them."""

from collections.abc import Iterable

from prometheus_client import Counter

from jointoit.api.lists.prepared import Row
from jointoit.checkin.door import Answer, ScanIdReused

scans = Counter("jointoit_scans_total", "Scans at doors, by what was decided.", ["result"])


def count(row: Row) -> None:
    """`admitted`, or the reason of a refusal."""
    scans.labels(row["reason"] or row["result"]).inc()


def count_new(answers: Iterable[Answer]) -> None:
    for answer in answers:
        if not isinstance(answer, ScanIdReused) and answer[1]:
            count(answer[0])
