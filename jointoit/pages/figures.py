"""The figures of an event as plots with their numbers beside them, and as a file."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from itertools import accumulate
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from jointoit.events.attendees import as_csv, streamed
from jointoit.events.models import Event
from jointoit.mail.times import zone
from jointoit.organizing.statistics import Figures, figures
from jointoit.pages import plots
from jointoit.pages.manage import ManageView

#: How long a bucket is, and up to what span it is used: so a plot has at most a hundred steps or so.
LENGTHS: Final = {
    "hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=30),
}  # fmt: skip
SPANS: Final = {"hour": timedelta(days=3), "day": timedelta(days=100), "week": timedelta(days=730)}
FORMATS: Final = {"hour": "j M, H:i", "day": "j M", "week": "j M Y", "month": "M Y"}
QUARTER: Final = timedelta(minutes=15)


class FiguresView(ManageView):
    tab = "figures"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        event = self.find(pk)
        found = figures_of(event, now=self.now)
        shown = list(pictures(event, found, now=self.now))
        return self.show("figures", event, plots=shown, facts=facts(found))


class FiguresFileView(ManageView):
    """Every number with its name and, where it is of a span, when that began."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        event = self.find(pk)
        lines = as_csv(numbers(figures_of(event, now=self.now)), ("figure", "start", "number"))
        return streamed(lines, name=f"event-{pk}-figures.csv")


def figures_of(event: Event, *, now: datetime) -> Figures:
    return figures(event, bucket=bucket_for(event, now), timezone=event.timezone, now=now)


def numbers(found: Figures) -> Iterator[dict[str, Any]]:
    for name, number in found["funnel"].items():
        yield {"figure": name, "number": number}
    for name in ("admitted", "no_shows"):
        yield {"figure": name, "number": found["door"][name]}
    for rows in (found["over_time"], found["door"]["arrivals"]):
        for row in rows:
            yield from ({"figure": name, "start": row["start"], "number": row[name]} for name in row if name != "start")


def bucket_for(event: Event, now: datetime) -> str:
    """The shortest with which what happened so far fits on a screen."""
    span = min(now, event.over_at) - event.created_at
    return next((bucket for bucket, most in SPANS.items() if span <= most), "month")


def facts(found: Figures) -> list[tuple[str, Any]]:
    funnel, door = found["funnel"], found["door"]
    seats = f"{funnel['confirmed']:,}"
    if found["capacity"]:
        seats = _("%(taken)s of %(all)s") % {"taken": seats, "all": f"{found['capacity']:,}"}
    known = [(_("Seats taken"), seats), (_("Got a seat from the waiting list"), found["waiting_list"]["promoted"])]
    if door["admitted"]:
        known.append((_("Came"), door["admitted"]))
    if door["no_shows"] is not None:
        share = round(100 * door["no_shows"] / max(1, funnel["confirmed"]))
        known.append((_("Did not come"), _("%(n)s (%(share)s %%)") % {"n": door["no_shows"], "share": share}))
    return known


# ── Plots ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def pictures(event: Event, found: Figures, *, now: datetime) -> Iterator[plots.Plot]:
    """Those of which there is something to see."""
    if found["over_time"]:
        yield standing(found)
        yield over_time(event, found, now=now)
    if found["door"]["arrivals"]:
        yield arrivals(event, found)


def standing(found: Figures) -> plots.Plot:
    funnel = found["funnel"]
    values = [
        (_("Seat"), funnel["confirmed"], "good"),
        (_("Waiting"), funnel["waitlisted"], "wait"),
        (_("Asked"), funnel["pending"], "wait"),
        (_("Cancelled"), funnel["cancelled"], "bad"),
    ]
    rows = [(word, f"{number:,}") for word, number, _tone in values]
    return plots.Plot(
        "standing",
        _("Where people stand"),
        ", ".join(f"{word}: {number}" for word, number in rows),
        *plots.bars(values),
        (_("Status"), _("People")),
        rows,
    )


def over_time(event: Event, found: Figures, *, now: datetime) -> plots.Plot:
    rows, clock = found["over_time"], Clock(zone(event.timezone), FORMATS[found["bucket"]])
    starts = [row["start"] for row in rows]
    held = list(accumulate(row["registered"] - row["cancelled"] for row in rows))
    until = max(starts[-1] + LENGTHS[found["bucket"]], min(now, event.over_at))
    most = max(held)
    said = _("How many people were registered, without those who had cancelled: at most %(most)s, now %(now)s.")
    return plots.Plot(
        "over-time",
        _("Registrations over time"),
        said % {"most": f"{most:,}", "now": f"{held[-1]:,}"},
        *plots.steps(starts, held, until=until),
        clock.ticks(starts[0], until),
        (_("From"), _("Registered"), _("Cancelled"), _("In all")),
        [
            (clock.write(row["start"]), row["registered"], row["cancelled"], in_all)
            for row, in_all in zip(rows, held, strict=True)
        ],
    )


def arrivals(event: Event, found: Figures) -> plots.Plot:
    rows = found["door"]["arrivals"]
    starts = [row["start"] for row in rows]
    inside = list(accumulate(row["admitted"] for row in rows))
    until = starts[-1] + QUARTER
    clock = Clock(zone(event.timezone), "H:i" if until - starts[0] < timedelta(hours=20) else "j M, H:i")
    half = next(start for start, number in zip(starts, inside, strict=True) if 2 * number >= inside[-1]) + QUARTER
    said = ngettext("%(n)s person came.", "%(n)s people came, half of them by %(half)s.", inside[-1])
    return plots.Plot(
        "arrivals",
        _("At the door"),
        said % {"n": f"{inside[-1]:,}", "half": clock.write(half)},
        *plots.steps(starts, inside, until=until),
        clock.ticks(starts[0], until),
        (_("From"), _("Came"), _("In all")),
        [(clock.write(row["start"]), row["admitted"], in_all) for row, in_all in zip(rows, inside, strict=True)],
    )


@dataclass(frozen=True)
class Clock:
    """How times are written below a plot and in its table."""

    zone: tzinfo
    form: str

    def write(self, at: datetime) -> str:
        return date_format(at.astimezone(self.zone), self.form)

    def ticks(self, first: datetime, last: datetime) -> list[plots.Mark]:
        return [plots.Mark("0%", self.write(first)), plots.Mark("100%", self.write(last), "end")]
