"""Plots that a template draws as SVG (`pages/plot.html`): here is only how far and how high.

All lengths are percentages, and no picture has a size of its own: the same one fits a phone and a desk, and its letters
stay as large as those around it. Colours are those of the style sheet (docs/decisions/0026-plots.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

#: How far a scale reaches: the next of these times a power of ten. Each but 1 has a half that is whole.
SCALES: Final = (1, 2, 4, 6, 8, 10)


@dataclass(frozen=True)
class Column:
    """A rectangle that stands on the ground; `tone` is a class of the style sheet, `label` stands above it."""

    x: str
    y: str
    width: str
    height: str
    tone: str = ""
    label: str = ""
    middle: str = ""


@dataclass(frozen=True)
class Mark:
    """A word beside a line `at` some height, or below a place `at` which it starts, has its middle, or ends."""

    at: str
    label: str
    anchor: str = "start"


@dataclass(frozen=True)
class Plot:
    """`said` is what the picture shows, in a sentence; `rows` are its numbers, for the table beside it."""

    name: str
    title: str
    said: str
    columns: Sequence[Column]
    lines: Sequence[Mark]
    ticks: Sequence[Mark]
    head: Sequence[str]
    rows: Sequence[Sequence[Any]]


def top_of(values: Sequence[int]) -> int:
    """Where the scale of these values ends: a round number that none of them exceeds."""
    most, power = max([1, *values]), 1
    while most > 10 * power:
        power *= 10
    return next(scale * power for scale in SCALES if scale * power >= most)


def lines(top: int) -> list[Mark]:
    return [Mark(percent(top - value, top), f"{value:,}") for value in ({top // 2, top} if top > 1 else {top})]


def steps(moments: Sequence[datetime], values: Sequence[int], *, until: datetime) -> tuple[list[Column], list[Mark]]:
    """Each value from its moment to the next one, the last `until` then."""
    span, top = until - moments[0], top_of(values)
    columns = [
        Column(
            percent(start - moments[0], span), percent(top - value, top), percent(end - start, span),
            percent(value, top),
        )
        for start, end, value in zip(moments, [*moments[1:], until], values, strict=True)
    ]  # fmt: skip
    return columns, lines(top)


def bars(values: Sequence[tuple[str, int, str]]) -> tuple[list[Column], list[Mark], list[Mark]]:
    """A column for each `(word, number, tone)`, side by side with its number above it, and the words below them."""
    top, room = top_of([number for _, number, _ in values]), 100 / len(values)
    middles = [f"{(place + 0.5) * room:.3f}%" for place in range(len(values))]
    columns = [
        Column(
            f"{(place + 0.2) * room:.3f}%", percent(top - number, top), f"{0.6 * room:.3f}%", percent(number, top),
            tone, f"{number:,}", middles[place],
        )
        for place, (_, number, tone) in enumerate(values)
    ]  # fmt: skip
    words = [Mark(middle, word, "middle") for middle, (word, _, _) in zip(middles, values, strict=True)]
    return columns, [], words


def percent(part: Any, whole: Any) -> str:
    return f"{100 * (part / whole):.3f}%"
