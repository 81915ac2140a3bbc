"""What a team looks like to a client, and what a client may ask of it."""

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from jointoit.accounts.serializers import TokenField
from jointoit.api.fields import ChoiceField, DateTimeField, EmailField, LineField, StrictIntegerField
from jointoit.api.http.strictness import Shape
from jointoit.events.models import Invitation, Membership
from jointoit.events.serializers import EventSummarySerializer

HELPING = Membership.Role.choices
SCOPES = [("event", "event"), ("all", "all")]


class PersonSerializer(Shape):
    id = serializers.IntegerField()
    username = serializers.CharField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()


class MemberSerializer(Shape):
    id = serializers.IntegerField(help_text="Of the role, not of the person.")
    user = PersonSerializer()
    role = serializers.ChoiceField(choices=HELPING)
    scope = serializers.ChoiceField(choices=SCOPES, help_text="`all`: with all events of the owner, also later ones.")
    since = DateTimeField()


@extend_schema_serializer(component_name="EventOwner")
class OwnerSerializer(Shape):
    id = serializers.IntegerField()
    username = serializers.CharField()


@extend_schema_serializer(component_name="HelperPosition")
class RoleSerializer(Shape):
    """Where I help."""

    id = serializers.IntegerField()
    owner = OwnerSerializer()
    event = EventSummarySerializer(allow_null=True)
    role = serializers.ChoiceField(choices=HELPING)
    scope = serializers.ChoiceField(choices=SCOPES)
    since = DateTimeField()


class InvitationSerializer(Shape):
    id = serializers.IntegerField()
    email = serializers.EmailField()
    role = serializers.ChoiceField(choices=Invitation.Role.choices)
    scope = serializers.ChoiceField(choices=SCOPES)
    event = EventSummarySerializer(allow_null=True)
    expires_at = DateTimeField()


class InviteSerializer(Shape):
    email = EmailField()
    role = ChoiceField(choices=HELPING)


class RoleChangeSerializer(Shape):
    also_read = tuple(MemberSerializer._declared_fields)
    role = ChoiceField(choices=HELPING, required=False, help_text="Unless given, it stays.")


class HandoverSerializer(Shape):
    email = EmailField()


@extend_schema_serializer(component_name="InvitationAnswer")
class AnswerSerializer(Shape):
    """Which invitation is meant: by the token of its mail, or by its id, for whoever has the address."""

    token = TokenField(required=False, help_text="From the link in the mail.")
    id = StrictIntegerField(required=False, min_value=1, max_value=2**63 - 1, help_text="From `GET /invitations/`.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError({"token": ["Send the token of the mail, or the id."]}, code="required")
        return attrs


@extend_schema_serializer(component_name="AcceptedInvitation")
class AcceptedSerializer(Shape):
    event = EventSummarySerializer(allow_null=True)
    role = serializers.ChoiceField(choices=Invitation.Role.choices)


class DoorPassSerializer(Shape):
    id = serializers.IntegerField(read_only=True)
    label = LineField(max_length=100)  # type: ignore[assignment]  # a member that is called so
    created_at = DateTimeField(read_only=True)
    expires_at = DateTimeField(required=False, help_text="12 hours after the end unless given.")


class NewDoorPassSerializer(DoorPassSerializer):
    link = serializers.CharField(read_only=True, help_text="Shown this once: opens the door page, without an account.")
    key = serializers.CharField(read_only=True, help_text="Shown this once: the same for programs, as a bearer token.")
