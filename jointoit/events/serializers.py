"""What an event and a registration look like to a client. Events are read by the names of these same fields."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from jointoit.accounts.serializers import MailedTokenSerializer, TokenField
from jointoit.api.fields import (
    ChoiceField,
    DateTimeField,
    EmailField,
    LineField,
    StrictBooleanField,
    StrictIntegerField,
    TextField,
    TimeZoneField,
)
from jointoit.api.http.strictness import UNCHANGING, Shape
from jointoit.events.models import Event, Registration
from jointoit.journal.reader import as_written
from jointoit.journal.writer import KINDS
from jointoit.mail.models import OutboxMail
from jointoit.mail.outbox import LatestMail

MAX_CAPACITY = 2**31 - 1


class TagsField(serializers.ListField):
    """Up to 20 labels, compared and kept in lower case, each once."""

    child = LineField(max_length=50)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=20, **kwargs)

    def to_internal_value(self, data: Any) -> list[str]:
        return list(dict.fromkeys(tag.lower() for tag in super().to_internal_value(data)))


class EventSerializer(Shape):
    unchanging = {"id": "pk", "organizer": "organizer_id"}

    id = serializers.IntegerField(read_only=True)
    title = LineField(max_length=255)
    description = TextField(max_length=20_000, required=False, allow_blank=True)
    date = DateTimeField(help_text="When it starts.")
    ends_at = DateTimeField(required=False, allow_null=True)
    timezone = TimeZoneField(required=False, help_text="IANA name of the time zone of the place; UTC unless given.")
    location = LineField(max_length=255)
    organizer = serializers.IntegerField(read_only=True, source="organizer_id", help_text="The user's id.")
    capacity = StrictIntegerField(
        required=False, allow_null=True, min_value=1, max_value=MAX_CAPACITY, help_text="Seats in all; null: no limit."
    )
    seats_taken = serializers.IntegerField(read_only=True)
    seats_left = serializers.IntegerField(read_only=True, allow_null=True)
    waitlist = StrictBooleanField(required=False, help_text="Whether a full event keeps a waiting list.")
    waiting = serializers.IntegerField(read_only=True, help_text="How many wait.")
    requires_approval = StrictBooleanField(required=False)
    pending = serializers.IntegerField(
        read_only=True, allow_null=True, help_text="How many await approval; null for everybody but the organizer."
    )
    verified_only = StrictBooleanField(
        required=False, help_text="Whether only people with a confirmed e-mail may register."
    )
    registration_opens_at = DateTimeField(required=False, allow_null=True)
    registration_closes_at = DateTimeField(required=False, allow_null=True)
    checkin_opens_at = DateTimeField(
        required=False, allow_null=True, help_text="When the door opens; null: three hours before the start."
    )
    checkin_closes_at = DateTimeField(
        required=False, allow_null=True, help_text="Null: at the end or, without one, 24 hours after the start."
    )
    status = ChoiceField(choices=Event.Status.choices, required=False)
    tags = TagsField(required=False)
    contact = EmailField(required=False, allow_null=True, help_text="Where replies to the mails go; public.")
    cancel_until = DateTimeField(
        required=False, allow_null=True, help_text="Until when attendees may cancel by themselves; null: until the end."
    )
    allow_transfers = StrictBooleanField(required=False, help_text="Whether attendees may hand their seat on.")
    organizer_news = ChoiceField(
        choices=Event.News.choices,
        required=False,
        help_text="Which mails the organizer gets: of each request at once and of the rest once a day (`requests`), of "
        "everything at once (`each`) or once a day (`daily`), or none.",
    )
    created_at = DateTimeField(read_only=True)
    updated_at = DateTimeField(read_only=True)


class NewEventSerializer(EventSerializer):
    """An event begins as published, or as a draft where one is asked for."""

    status = ChoiceField(
        choices=[choice for choice in Event.Status.choices if choice[0] != Event.Status.CANCELLED], required=False
    )


class EventSummarySerializer(Shape):
    id = serializers.IntegerField()
    title = serializers.CharField()
    date = DateTimeField()
    location = serializers.CharField()
    status = serializers.ChoiceField(choices=Event.Status.choices)


def summary_members(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """The summary of the event of a row, whose columns begin with `event_`; None where there is none."""
    if row["event_id"] is None:
        return None
    return {name: row[f"event_{name}"] for name in EventSummarySerializer._declared_fields}


def summary_columns(event: Event | None) -> dict[str, Any]:
    """The same columns of an event at hand."""
    return {f"event_{name}": getattr(event, name, None) for name in EventSummarySerializer._declared_fields}


class AttendeeSerializer(Shape):
    sometimes = ("email", "first_name", "last_name")

    id = serializers.IntegerField()
    username = serializers.CharField()
    email = serializers.EmailField(
        required=False, allow_null=True, help_text="Shown to the organizer only; null once the person has cancelled."
    )
    first_name = serializers.CharField(required=False, help_text="Shown to the organizer only.")
    last_name = serializers.CharField(required=False, help_text="Shown to the organizer only.")


class RegistrationSerializer(Shape):
    id = serializers.IntegerField(read_only=True)
    event = EventSummarySerializer(read_only=True)
    attendee = AttendeeSerializer(read_only=True)
    status = serializers.ChoiceField(choices=Registration.Status.choices)
    position = serializers.IntegerField(
        read_only=True, allow_null=True, help_text="Place on the waiting list, 1 is next; null for who does not wait."
    )
    answers = serializers.DictField(
        read_only=True, help_text="What was answered, by the id of the question; for the attendee and who manages."
    )
    registered_at = DateTimeField(read_only=True)
    updated_at = DateTimeField(read_only=True)


def registration_members(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of `registration_queries` as the client sees it; names and address are there for the organizer alone."""
    attendee = {"id": row["attendee_id"], "username": row["attendee_username"], **(row["attendee_private"] or {})}
    return {
        "id": row["id"],
        "event": summary_members(row),
        "attendee": attendee,
        "status": row["status"],
        "position": row["position"],
        "answers": as_written(row["answers"]),
        "registered_at": row["registered_at"],
        "updated_at": row["updated_at"],
    }


def row_of(registration: Registration, *, reader: int) -> dict[str, Any]:
    """What `registration_queries` would read of a registration that is at hand, with event and attendee."""
    event, attendee = registration.event, registration.attendee
    private = {name: getattr(attendee, name) for name in ("email", "first_name", "last_name")}
    return {
        "id": registration.pk, "status": registration.status, "position": registration.position,
        "answers": registration.answers,
        "registered_at": registration.registered_at, "updated_at": registration.updated_at,
        **summary_columns(event), "attendee_id": attendee.pk, "attendee_username": attendee.username,
        "attendee_private": private if event.organizer_id == reader else None,
    }  # fmt: skip


@extend_schema_serializer(component_name="RegistrationMail")
class MailSerializer(Shape):
    """What became of the newest mail about a registration."""

    kind = serializers.CharField(help_text="What it says, such as `registration_confirmed`.")
    state = serializers.ChoiceField(
        choices=OutboxMail.State.choices,
        help_text="`pending`: on its way; `sent`: accepted by the mail server; `dead`: will not arrive; `expired`: "
        "came too late to be of use; `superseded`: not sent, for later news replaced it.",
    )
    reason = serializers.CharField(allow_null=True, help_text="Why a dead one will not arrive.")


def mail_members(standing: LatestMail | None) -> dict[str, Any] | None:
    if standing is None:
        return None
    reason = standing.last_answer if standing.state == OutboxMail.State.DEAD else None
    return {"kind": standing.kind, "state": standing.state, "reason": reason or None}


class AttendedRegistrationSerializer(RegistrationSerializer):
    """A registration as its organizer sees it in the list: with what became of its newest mail."""

    mail = MailSerializer(read_only=True, allow_null=True)


@extend_schema_field({"type": "integer"})
class UnchangingIdField(serializers.Field[Any, Any, Any, Any]):
    """Accepts the id that the registration in the context has, bare or as the object that we show; nothing else."""

    default_error_messages = {"read_only": UNCHANGING}

    @property
    def member(self) -> str:
        return "id" if self.field_name == "id" else f"{self.field_name}_id"

    def to_internal_value(self, data: Any) -> int:
        given = data.get("id") if isinstance(data, Mapping) else data
        if isinstance(given, bool) or given != self.context["registration"][self.member]:
            self.fail("read_only")
        return int(given)


class UnsubscribeSerializer(MailedTokenSerializer):
    """As documented; the page itself reads the token from either place and demands it."""

    token = TokenField(required=False, help_text="From the link in the mail, whose address may carry it instead.")


class AnswersField(serializers.DictField):
    """Answers by the id of the question; what each may be is said by the question."""

    def __init__(self, **kwargs: Any) -> None:
        help_text = 'By the id of the question, such as `{"12": "vegan"}`; null takes an answer away.'
        super().__init__(help_text=help_text, **kwargs)


class ReasonField(TextField):
    """What an organizer tells those whose registrations end; nothing else keeps it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, allow_blank=True, max_length=500, write_only=True, **kwargs)


class ReasonSerializer(Shape):
    reason = ReasonField(help_text="What the mails tell about why.")


class NewRegistrationSerializer(Shape):
    """What a client may send when it asks for a seat."""

    answers = AnswersField(required=False)


class RegistrationStepSerializer(Shape):
    """What a client may send to a registration: the status it should have."""

    also_read = tuple(AttendedRegistrationSerializer._declared_fields)

    status = ChoiceField(choices=Registration.Status.choices)
    id = UnchangingIdField(required=False, write_only=True)
    answers = AnswersField(required=False)
    reason = ReasonField(help_text="What the mail tells about why; from who manages the event, with `cancelled`.")
    event = UnchangingIdField(required=False, write_only=True)
    attendee = UnchangingIdField(required=False, write_only=True)


class ActorSerializer(Shape):
    kind = serializers.ChoiceField(choices=[*KINDS, "organizer"])
    id = serializers.IntegerField(allow_null=True, help_text="Of the account, the key or the door pass.")


class FactSerializer(Shape):
    """What happened, and who did it."""

    id = serializers.IntegerField()
    type = serializers.CharField(help_text="Such as `registration.confirmed`.")
    at = DateTimeField()
    actor = ActorSerializer()
    event = serializers.IntegerField()
    registration = serializers.IntegerField(allow_null=True)
    before = serializers.DictField(allow_null=True)
    after = serializers.DictField(allow_null=True)
    request_id = serializers.UUIDField(allow_null=True, help_text="The `X-Request-ID` of the request that did it.")


class FeedSerializer(serializers.Serializer[Any]):
    """A page of the feed."""

    next = serializers.URLField(
        help_text="Always there: behind it are the next facts, at once or once there are any. Ask it again later."
    )
    results = FactSerializer(many=True)
