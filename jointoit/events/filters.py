"""What a list of events or registrations may be narrowed by. All filters combine; each is one condition on an index."""

from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.core.exceptions import ValidationError
from django.db.models import Q, Value
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema_field

from jointoit.api.lists.filtering import (
    BooleanFilter,
    ChoiceFilter,
    IdFilter,
    StrictFilterSet,
    TextFilter,
    TimestampFilter,
)
from jointoit.api.lists.parameters import Parameters, StrictField, TextField
from jointoit.events.calendar_dates import PATTERN, span
from jointoit.events.folding import fold
from jointoit.events.models import Event, EventQuerySet, Registration, RegistrationQuerySet

DATES = {"date", "timezone", "date_from", "date_to", "upcoming"}
NO_DATE = "A year, month or day that exists: 2026, 2026-05 or 2026-05-17."


class FoldedTextField(TextField):
    def parse(self, value: str) -> str:
        return fold(super().parse(value))


class FoldedTextFilter(TextFilter):
    """A part of the text in any case and script; the characters of LIKE patterns mean themselves."""

    field_class = FoldedTextField


class TagField(TextField):
    def parse(self, value: str) -> str:
        return super().parse(value).lower()


class TagFilter(TextFilter):
    field_class = TagField


class ZoneField(StrictField):
    problem = "An IANA time zone, such as Europe/Berlin."

    def parse(self, value: str) -> ZoneInfo:
        if value not in available_timezones():
            raise self.refuse()
        return ZoneInfo(value)


@extend_schema_field({"type": "string", "format": "iana-time-zone", "examples": ["Europe/Berlin"]})
class ZoneFilter(filters.Filter):
    """Selects nothing by itself; it says in which time zone `date` is read."""

    field_class = ZoneField


class CalendarDateField(StrictField):
    problem = NO_DATE

    def parse(self, value: str) -> str:
        if not PATTERN.fullmatch(value):
            raise self.refuse()
        return value


@extend_schema_field({"type": "string", "format": "calendar-date", "examples": ["2030", "2030-05", "2030-05-17"]})
class CalendarDateFilter(filters.Filter):
    field_class = CalendarDateField


class EventFilters(StrictFilterSet):
    title = FoldedTextFilter("title_folded", "contains", help_text="Part of the title, in any case and script.")
    location = FoldedTextFilter("location_folded", "contains", help_text="Part of the place, in any case and script.")
    organizer = IdFilter("organizer_id", help_text="The organizer's id.")
    date = CalendarDateFilter(method="on_date", help_text="Starts in this year, month or day, read in `timezone`.")
    timezone = ZoneFilter(help_text="IANA name; how `date` is read. UTC unless given.")
    date_from = TimestampFilter("date", "gte", help_text="Starts then or later.")
    date_to = TimestampFilter("date", "lt", help_text="Starts before then.")
    status = ChoiceFilter(method="by_status", choices=Event.Status.choices)
    search = FoldedTextFilter(
        method="with_words",
        help_text=(
            "Has these words in title, place or description, in any case, with or without accents; the best comes "
            "first, unless `ordering` says otherwise. Where nothing has them, words a typo away are found."
        ),
    )
    typos = BooleanFilter(
        method="as_it_is", help_text="`true`: `search` finds words a typo away at once; `false`: it never does."
    )
    tag = TagFilter(method="with_tag", help_text="Has this tag, in any case.")
    has_seats = BooleanFilter(method="by_seats", help_text="Whether a seat is free.")
    upcoming = BooleanFilter(method="by_start", help_text="Whether it is still to begin.")

    class Meta:
        model = Event
        fields: tuple[str, ...] = ()

    def judge(self, values: dict[str, Any], parameters: Parameters) -> None:
        """A date in its zone, an end beside its beginning."""
        zone = values.pop("timezone", None) or ZoneInfo("UTC")
        if values.get("date"):
            try:
                values["date"] = span(values["date"], zone)
            except OverflowError:
                parameters.refuse("date", ValidationError("The years go from 0001 to 9998.", code="out_of_range"))
            except ValueError:
                parameters.refuse("date", ValidationError(NO_DATE, code="invalid"))
        start, end = values.get("date_from"), values.get("date_to")
        if start and end and end <= start:
            parameters.refuse("date_from", ValidationError("Must lie before date_to.", code="invalid"))

    def on_date(self, queryset: EventQuerySet, name: str, value: Any) -> EventQuerySet:
        return queryset.filter(date__gte=value.start, date__lt=value.end)

    def with_tag(self, queryset: EventQuerySet, name: str, value: str) -> EventQuerySet:
        return queryset.filter(tags__contains=[value])

    def by_status(self, queryset: EventQuerySet, name: str, value: str) -> EventQuerySet:
        if value == Event.Status.DRAFT:
            assert self.request is not None
            return queryset.drafts_of(self.request.user)
        return queryset.filter(status=value)

    def with_words(self, queryset: EventQuerySet, name: str, value: Any) -> EventQuerySet:
        if self.values.get("typos"):
            return queryset.nearly_with_words(value)
        return queryset.with_words(Value(value) if isinstance(value, str) else value)  # its field has folded it

    def as_it_is(self, queryset: EventQuerySet, name: str, value: bool) -> EventQuerySet:
        return queryset

    def by_seats(self, queryset: EventQuerySet, name: str, value: bool) -> EventQuerySet:
        return queryset.full(not value)

    def by_start(self, queryset: EventQuerySet, name: str, value: bool) -> EventQuerySet:
        return queryset.filter(date__gt=self.now) if value else queryset.filter(date__lte=self.now)

    def repeats(self) -> bool:
        """Whether others ask for the same with other values: guessing takes a condition for each word."""
        return self.cleaned.get("typos") is None and self.cleaned.get("status") != Event.Status.DRAFT

    def has_one_plan(self) -> bool:
        """Whether one index gives the rows in the order of their dates, whatever the values."""
        others = self.cleaned.keys() - DATES
        return len(others) <= 1 and others <= {"organizer", "status", "has_seats"}


class RegistrationFilters(StrictFilterSet):
    status = ChoiceFilter(choices=Registration.Status.choices)
    event = IdFilter("event_id", help_text="The event's id.")
    upcoming = BooleanFilter(method="by_start", help_text="Whether the event is still to begin.")

    class Meta:
        model = Registration
        fields: tuple[str, ...] = ()

    def by_start(self, queryset: RegistrationQuerySet, name: str, value: bool) -> RegistrationQuerySet:
        return queryset.filter(event__date__gt=self.now) if value else queryset.filter(event__date__lte=self.now)


class AttendeeFilters(StrictFilterSet):
    status = ChoiceFilter(choices=Registration.Status.choices)
    search = TextFilter(method="by_name", help_text="Part of the username, name or e-mail, in any case.")

    class Meta:
        model = Registration
        fields: tuple[str, ...] = ()

    def by_name(self, queryset: RegistrationQuerySet, name: str, value: str) -> RegistrationQuerySet:
        columns = ("username", "first_name", "last_name", "email")
        found = [Q(**{f"attendee__{column}__icontains": value}) for column in columns]
        return queryset.filter(found[0] | found[1] | found[2] | found[3])
