"""Shapes of webhooks, their log, and the parameters of it."""

from typing import Any, Final

from rest_framework import serializers

from jointoit.api.fields import ChoiceField, DateTimeField, StrictBooleanField, StrictIntegerField
from jointoit.api.http.strictness import Shape
from jointoit.api.lists.parameters import IdParameter, ParameterSerializer
from jointoit.journal.writer import TYPES
from jointoit.webhooks.models import Message, Webhook

MOST_EVENTS: Final = 100


class UrlField(serializers.CharField):
    """Which addresses are taken is a rule of its own; here it is a text."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class WebhookSerializer(Shape):
    also_read = ("secret",)

    id = serializers.IntegerField(read_only=True)
    url = UrlField(
        max_length=2000, help_text="By https, with a public address each time that something is sent.",
    )  # fmt: skip
    types = serializers.ListField(child=ChoiceField(choices=list(TYPES.items())), min_length=1, max_length=len(TYPES))
    events = serializers.ListField(
        child=StrictIntegerField(min_value=1, max_value=2**63 - 1),
        min_length=1,
        max_length=MOST_EVENTS,
        allow_null=True,
        required=False,
        help_text="The ids of events that you manage; null: all that you manage, now and later.",
    )
    enabled = StrictBooleanField(required=False, help_text="Whether anything is sent.")
    disabled_reason = serializers.ChoiceField(
        read_only=True, choices=Webhook.DisabledReason.choices, allow_null=True, help_text="Why nothing is sent."
    )
    failing_since = DateTimeField(read_only=True, allow_null=True, help_text="Since when nothing was taken.")
    last_success_at = DateTimeField(read_only=True, allow_null=True, help_text="At most ten seconds old.")
    previous_until = DateTimeField(
        read_only=True, allow_null=True, help_text="Until then the secret before the last rotation signs as well."
    )
    created_at = DateTimeField(read_only=True)


class NewWebhookSerializer(WebhookSerializer):
    secret = serializers.CharField(read_only=True, help_text="To verify signatures with; shown this once.")


class DeliverySerializer(serializers.Serializer[Any]):
    """A message: what became of it."""

    id = serializers.CharField(help_text="The `webhook-id`, the same for every attempt.")
    type = serializers.CharField()
    event = serializers.IntegerField(allow_null=True)
    fact = serializers.IntegerField(allow_null=True, help_text="Its id in the feed; null for a test.")
    state = serializers.ChoiceField(
        choices=Message.State.choices,
        help_text="`pending`: will be tried; `sent`: answered with 2xx; `failed`: given up after three days or 410; "
        "`withdrawn`: you no longer manage the event.",
    )
    attempts = serializers.IntegerField()
    status = serializers.IntegerField(allow_null=True, help_text="Of the last answer; null where there was none.")
    milliseconds = serializers.IntegerField(allow_null=True, help_text="That the last attempt took.")
    answer = serializers.CharField(allow_null=True, help_text="How it began (512 bytes), or why there was none.")
    created_at = DateTimeField()
    settled_at = DateTimeField(allow_null=True)
    next_attempt_at = DateTimeField(allow_null=True)


class DeliveryParameters(ParameterSerializer):
    state = ChoiceField(choices=Message.State.choices, required=False)
    event = IdParameter(help_text="Only messages about this event.")
