"""What a list of events or registrations may be narrowed by. All parameters combine."""

import re
from typing import Any
from zoneinfo import ZoneInfo

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.fields import empty

from jointoit.api.fields import ChoiceField, DateTimeField, TimeZoneField
from jointoit.api.lists.parameters import (
    BooleanParameter,
    IdParameter,
    ParameterSerializer,
    TextParameter,
    WholeNumberParameter,
)
from jointoit.events.calendar_dates import span
from jointoit.events.folding import fold
from jointoit.events.models import Event, Registration
from jointoit.journal.writer import TYPES

ORDERINGS = ("date", "-date", "created_at", "-created_at", "title", "-title")
OVER = "An event is over at `ends_at`, without one 24 hours after `date`."
NO_DATE = "A year, month or day that exists: 2026, 2026-05 or 2026-05-17."


class FoldedTextParameter(TextParameter):
    """A part of a text in any case and script; its length counts as it was sent, for folding may lengthen it."""

    def run_validation(self, data: Any = empty) -> str:
        return fold(super().run_validation(data))


class WordsParameter(FoldedTextParameter):
    """Words; without any it counts as left out."""

    def run_validation(self, data: Any = empty) -> str:
        return super().run_validation(data).strip()


class TagParameter(TextParameter):
    def run_validation(self, data: Any = empty) -> str:
        return str(super().run_validation(data)).lower()


@extend_schema_field({"type": "string", "format": "calendar-date", "examples": ["2030", "2030-05", "2030-05-17"]})
class CalendarDateParameter(serializers.CharField):
    """Read by `EventParameters.validate`, which knows the time zone."""


class EventParameters(ParameterSerializer):
    title = FoldedTextParameter(help_text="Part of the title, in any case and script.")
    location = FoldedTextParameter(help_text="Part of the place, in any case and script.")
    organizer = IdParameter(help_text="The organizer's id.")
    date = CalendarDateParameter(
        required=False, trim_whitespace=False, help_text="Starts in this year, month or day, read in `timezone`."
    )
    timezone = TimeZoneField(required=False, help_text="IANA name; how `date` is read. UTC unless given.")
    date_from = DateTimeField(required=False, help_text="Starts then or later.")
    date_to = DateTimeField(required=False, help_text="Starts before then.")
    status = ChoiceField(choices=Event.Status.choices, required=False)
    search = WordsParameter(
        help_text=(
            "Has these words in title, place or description, in any case, with or without accents; the best comes "
            "first, unless `ordering` says otherwise. Where nothing has them, words a typo away are found."
        ),
    )
    typos = BooleanParameter(help_text="`true`: `search` finds words a typo away at once; `false`: it never does.")
    tag = TagParameter(help_text="Has this tag, in any case.")
    has_seats = BooleanParameter(help_text="Whether a seat is free.")
    upcoming = BooleanParameter(help_text=f"Whether it is not over yet. {OVER}")
    ongoing = BooleanParameter(help_text=f"Whether it has begun and is not over. {OVER}")
    role = ChoiceField(
        choices=("owner", "manager", "door", "any"), required=False, help_text="Only events that I own or help with."
    )
    ordering = ChoiceField(
        choices=ORDERINGS,
        required=False,
        help_text="What to sort by, `date` unless given; a minus turns the order round. Ties are settled by id.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A date in its zone, an end beside its beginning."""
        zone = ZoneInfo(attrs.pop("timezone", "UTC"))
        if "date" in attrs:
            try:
                attrs["date"] = span(attrs["date"], zone)
            except OverflowError:
                raise self.wrong("date", "The years go from 0001 to 9998.", "out_of_range") from None
            except ValueError:
                raise self.wrong("date", NO_DATE, "invalid") from None
        if "date_from" in attrs and "date_to" in attrs and attrs["date_to"] <= attrs["date_from"]:
            raise self.wrong("date_from", "Must lie before date_to.", "invalid")
        return attrs

    @staticmethod
    def wrong(name: str, sentence: str, code: str) -> serializers.ValidationError:
        return serializers.ValidationError({name: [serializers.ErrorDetail(sentence, code)]})


class RegistrationParameters(ParameterSerializer):
    status = ChoiceField(choices=Registration.Status.choices, required=False)
    event = IdParameter(help_text="The event's id.")
    upcoming = BooleanParameter(help_text=f"Whether the event is not over yet. {OVER}")
    ongoing = BooleanParameter(help_text=f"Whether the event has begun and is not over. {OVER}")


class RegistrationHistoryParameters(ParameterSerializer):
    type = TextParameter(max_length=40, help_text="Only facts of this type, such as `registration.promoted`.")


class AttendeeParameters(ParameterSerializer):
    status = ChoiceField(choices=Registration.Status.choices, required=False)
    search = WordsParameter(
        help_text="Every word of it is a part of username, names or e-mail, in any case, with or without accents."
    )


ONE_TYPE = f"({'|'.join(re.escape(name) for name in TYPES)})"


@extend_schema_field(
    {"type": "string", "pattern": f"^{ONE_TYPE}(,{ONE_TYPE})*$", "examples": ["event.published,event.cancelled"]}
)
class TypesParameter(TextParameter):
    """Types of facts with commas between them."""

    def to_internal_value(self, data: Any) -> list[str]:  # type: ignore[override]
        types = super().to_internal_value(data).split(",")
        if not set(types) <= TYPES.keys():
            raise serializers.ValidationError(f"With commas between them: {', '.join(TYPES)}.", code="invalid_choice")
        return types


class FeedParameters(ParameterSerializer):
    types = TypesParameter(max_length=1000, help_text="Only facts of these types, with commas between them.")
    event = IdParameter(help_text="Only facts about this event.")
    managed = BooleanParameter(help_text="Only facts of events that you manage.")
    page_size = WholeNumberParameter(min_value=1, max_value=100, help_text="Facts on a page; 20 unless given.")
    cursor = TextParameter(max_length=500, help_text="Taken from `next`; opaque and signed.")


FeedParameters._declared_fields["from"] = ChoiceField(  # a word of Python
    choices=("now", "start"), required=False, help_text="Where to start without a cursor: `start` unless given."
)


class HistoryParameters(RegistrationHistoryParameters):
    registration = IdParameter(help_text="Only facts about this registration.")
