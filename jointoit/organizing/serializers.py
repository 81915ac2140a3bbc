"""What the organizer's tools look like to a client, and what a client may ask of them."""

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from jointoit.accounts.serializers import ConfirmedShape, PasswordField, TokenField
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
from jointoit.api.http.strictness import Shape
from jointoit.api.lists.parameters import BooleanParameter, ParameterSerializer
from jointoit.events.models import Question, Registration
from jointoit.events.serializers import AnswersField, ReasonField
from jointoit.organizing.announcements import GROUPS
from jointoit.organizing.models import Report
from jointoit.organizing.statistics import BUCKETS

Status = Registration.Status
MAX_ID = 2**63 - 1
MOST_AT_ONCE = 200


class QuestionSerializer(Shape):
    id = serializers.IntegerField(read_only=True)
    label = LineField(max_length=200)  # type: ignore[assignment]  # a member that is called so
    help = LineField(max_length=500, required=False, allow_blank=True)
    type = ChoiceField(choices=Question.Type.choices)
    required = StrictBooleanField(required=False)  # type: ignore[assignment]
    options = serializers.ListField(
        child=LineField(max_length=100), max_length=50, required=False, help_text="For `choice` and `choices`."
    )
    position = StrictIntegerField(required=False, min_value=0, max_value=1000, help_text="The smallest is asked first.")
    archived = StrictBooleanField(required=False, help_text="Not asked any more; its answers stay.")

    def validate_options(self, options: list[str]) -> list[str]:
        return list(dict.fromkeys(options))


def question_members(question: Any) -> dict[str, Any]:
    names = ("id", "label", "help", "type", "required", "options", "position", "archived")
    return {name: getattr(question, name) for name in names}


class NewAnnouncementSerializer(Shape):
    subject = LineField(max_length=150)
    text = TextField(max_length=10_000)
    to = serializers.ListField(
        child=ChoiceField(choices=[(group, group) for group in GROUPS]),
        allow_empty=False,
        required=False,
        help_text="Whose registration has one of these statuses, or who of those with a seat was let in (`admitted`), "
        "or not (`absent`); those who are confirmed unless given.",
    )


class AnnouncementSerializer(NewAnnouncementSerializer):
    id = serializers.IntegerField(read_only=True)
    recipients = serializers.IntegerField(read_only=True)
    sent = serializers.IntegerField(read_only=True)
    waiting = serializers.IntegerField(read_only=True)
    failed = serializers.IntegerField(read_only=True)
    created_at = DateTimeField(read_only=True)


@extend_schema_serializer(component_name="PromisedAnnouncement")
class PromisedSerializer(Shape):
    id = serializers.IntegerField(allow_null=True, help_text="Null with `dry_run`.")
    recipients = serializers.IntegerField(help_text="How many people get the mail.")


class DryRunParameters(ParameterSerializer):
    dry_run = BooleanParameter(help_text="Only count who would get it.")


class DuplicateSerializer(Shape):
    date = DateTimeField(help_text="When the new event starts.")
    title = LineField(max_length=255, required=False)


class TransferSerializer(Shape):
    email = EmailField()


@extend_schema_serializer(component_name="TransferOffer")
class OfferedSerializer(Shape):
    id = serializers.IntegerField()
    email = serializers.EmailField()
    created_at = DateTimeField()


class TransferAnswerSerializer(Shape):
    token = TokenField(help_text="From the link in the mail.")


class GuestSerializer(Shape):
    email = EmailField()
    first_name = LineField(max_length=150, required=False, allow_blank=True)
    last_name = LineField(max_length=150, required=False, allow_blank=True)
    status = ChoiceField(
        choices=[(status, status) for status in (Status.CONFIRMED.value, Status.PENDING.value)],
        required=False,
        help_text="Unless given: a seat, or the end of the waiting list where none is free.",
    )
    answers = AnswersField(required=False)


class GuestPersonSerializer(Shape):
    email = serializers.EmailField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()


@extend_schema_serializer(component_name="AddedRegistration")
class AddedSerializer(Shape):
    """The registration, without the username: whether there was an account is nobody else's affair."""

    id = serializers.IntegerField()
    attendee = GuestPersonSerializer()
    status = serializers.ChoiceField(choices=Status.choices)
    position = serializers.IntegerField(allow_null=True)
    answers = serializers.DictField()
    registered_at = DateTimeField()


class ReportSerializer(Shape):
    kind = ChoiceField(choices=Report.Kind.choices)
    text = TextField(required=False, allow_blank=True, max_length=2_000)


@extend_schema_serializer(component_name="RegistrationSteps")
class StepsSerializer(Shape):
    ids = serializers.ListField(
        child=StrictIntegerField(min_value=1, max_value=MAX_ID), allow_empty=False, max_length=MOST_AT_ONCE
    )
    status = ChoiceField(choices=[(status, status) for status in (Status.CONFIRMED.value, Status.CANCELLED.value)])
    reason = ReasonField(help_text="Told in the mail of who is cancelled.")


@extend_schema_serializer(component_name="StepOutcome")
class OutcomeSerializer(Shape):
    id = serializers.IntegerField()
    status = serializers.ChoiceField(choices=Status.choices, allow_null=True, help_text="As it is now; null: refused.")
    code = serializers.CharField(allow_null=True, help_text="Of what refused, such as `event_full`.")
    detail = serializers.CharField(allow_null=True)


@extend_schema_serializer(component_name="StepOutcomes")
class OutcomesSerializer(Shape):
    results = OutcomeSerializer(many=True)


class StatisticsParameters(ParameterSerializer):
    bucket = ChoiceField(
        choices=[(bucket, bucket) for bucket in BUCKETS], required=False, help_text="`day` unless given."
    )
    timezone = TimeZoneField(required=False, help_text="By whose clock a day begins; the event's unless given.")


@extend_schema_serializer(component_name="StatisticsFunnel")
class FunnelSerializer(Shape):
    """Where people stand."""

    registered = serializers.IntegerField(help_text="Everybody who ever asked.")
    pending = serializers.IntegerField()
    confirmed = serializers.IntegerField()
    waitlisted = serializers.IntegerField()
    cancelled = serializers.IntegerField(help_text="Those who were declined and transferred included.")
    declined = serializers.IntegerField()
    transferred = serializers.IntegerField()


class WaitingListSerializer(Shape):
    """What became of those who waited."""

    waiting = serializers.IntegerField()
    promoted = serializers.IntegerField(help_text="Who got a seat from the list.")
    since = DateTimeField(allow_null=True, help_text="Since when the first waits.")


@extend_schema_serializer(component_name="StatisticsBucket")
class BucketSerializer(Shape):
    """A span of time in which something happened."""

    start = DateTimeField()
    registered = serializers.IntegerField()
    cancelled = serializers.IntegerField()


class ArrivalSerializer(Shape):
    """A quarter of an hour in which somebody came."""

    start = DateTimeField(help_text="Of a quarter of an hour.")
    admitted = serializers.IntegerField(help_text="Who was let in for the first time.")


class TurnoutSerializer(Shape):
    """Who came, and when."""

    admitted = serializers.IntegerField()
    no_shows = serializers.IntegerField(
        allow_null=True,
        help_text="Who had a seat and did not come. Null until check-in has closed, and where nobody was checked in.",
    )
    arrivals = ArrivalSerializer(many=True)


class StatisticsSerializer(Shape):
    """The figures of an event, all of one moment."""

    bucket = serializers.CharField()
    timezone = serializers.CharField()
    capacity = serializers.IntegerField(allow_null=True)
    funnel = FunnelSerializer()
    waiting_list = WaitingListSerializer()
    over_time = BucketSerializer(many=True)
    door = TurnoutSerializer()


class ExportSerializer(ConfirmedShape):
    password = PasswordField(required=False, help_text="Of your account; where it has none, `proof` in its place.")
