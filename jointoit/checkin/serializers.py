"""What a ticket, a scan and the door look like to a client, and what a device may send."""

import re
from typing import Any, Final
from uuid import UUID

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from jointoit.api.fields import DateTimeField, LineField, StrictIntegerField
from jointoit.api.http.strictness import Shape
from jointoit.checkin.models import Scan
from jointoit.checkin.reading import Presented
from jointoit.events.models import Registration
from jointoit.journal.writer import KINDS

CANONICAL: Final = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
LARGEST_QR: Final = 4_296  # characters: ISO/IEC 18004, version 40-L in alphanumeric mode
MOST_SCANS: Final = 200
WHAT: Final = ("token", "code", "registration")


@extend_schema_field({"type": "string", "format": "uuid"})
class UUIDField(serializers.Field[UUID, Any, str, Any]):
    """Written with four hyphens (RFC 9562 section 4), in any case; nothing else."""

    default_error_messages = {"invalid": "This must be a UUID, such as 3f0f9d0e-8b0c-4f0e-9d5e-2a1d6f6f7a10."}

    def to_internal_value(self, data: Any) -> UUID:
        if not isinstance(data, str) or not CANONICAL.fullmatch(data):
            self.fail("invalid")
        return UUID(data)

    def to_representation(self, value: UUID) -> str:
        return str(value)


class ReadField(serializers.CharField):
    """Whatever a reader makes of what was held to it. It may be anything, and is judged as a ticket, not as a text."""

    default_error_messages = {"invalid": "This must be text."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, allow_blank=True, trim_whitespace=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return data


@extend_schema_serializer(component_name="NewScan")
class GivenScanSerializer(Shape):
    """A ticket that was held to a device: `token`, `code` or `registration`, one of them."""

    id = UUIDField(help_text="Made by the device; the same again changes nothing and gives the same answer.")
    token = ReadField(max_length=LARGEST_QR, help_text="What the QR says, exactly.")
    code = ReadField(max_length=64, help_text="As typed: case, blanks and hyphens do not count.")
    registration = StrictIntegerField(
        required=False, min_value=1, max_value=2**63 - 1, help_text="Of somebody who was found by name."
    )
    gate = LineField(max_length=50, required=False, allow_null=True, help_text="Where it was, in your words.")
    scanned_at = DateTimeField(required=False, help_text="By the clock of the device; now unless given.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if sum(name in attrs for name in WHAT) != 1:
            raise serializers.ValidationError("Give one of token, code and registration.", "one_of")
        return attrs


def presented(values: dict[str, Any]) -> Presented:
    return Presented(**values)


@extend_schema_serializer(component_name="NewScanBatch")
class GivenBatchSerializer(Shape):
    device_time = DateTimeField(help_text="The clock of the device when it sends this: how wrong its times are.")
    scans = serializers.ListField(child=GivenScanSerializer(), allow_empty=False, max_length=MOST_SCANS)


# ── Answers ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@extend_schema_serializer(component_name="ScanActor")
class ByFieldSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=KINDS)
    id = serializers.IntegerField(allow_null=True, help_text="Of the account, the key or the door pass.")


@extend_schema_serializer(component_name="FirstScan")
class FirstSerializer(serializers.Serializer[Any]):
    scanned_at = DateTimeField()
    gate = serializers.CharField(allow_null=True)


class ScanSerializer(serializers.Serializer[Any]):
    """What was decided when the scan arrived; it never changes."""

    id = UUIDField()
    event = serializers.IntegerField()
    registration = serializers.IntegerField(allow_null=True)
    name = serializers.CharField(allow_null=True, help_text="Of the person; null where none of this event is meant.")
    result = serializers.ChoiceField(choices=Scan.Result.choices)
    reason = serializers.ChoiceField(choices=Scan.Reason.choices, allow_null=True)
    gate = serializers.CharField(allow_null=True)
    by = ByFieldSerializer()
    scanned_at = DateTimeField(help_text="By the clock of the service, never after `received_at`.")
    received_at = DateTimeField()
    first = FirstSerializer(allow_null=True, help_text="Of `already_admitted`: the scan that had let the person in.")


@extend_schema_serializer(component_name="ScanUndoing")
class UndoneSerializer(serializers.Serializer[Any]):
    at = DateTimeField()
    by = ByFieldSerializer()


class LoggedScanSerializer(ScanSerializer):
    conflict = serializers.BooleanField(help_text="Whether it let somebody in after another scan had.")
    undone = UndoneSerializer(allow_null=True)


@extend_schema_serializer(component_name="AdmittedScan")
class EntrySerializer(serializers.Serializer[Any]):
    id = UUIDField()
    scanned_at = DateTimeField()
    gate = serializers.CharField(allow_null=True)
    by = ByFieldSerializer()


@extend_schema_serializer(component_name="ScanConflict")
class ConflictSerializer(serializers.Serializer[Any]):
    """A ticket that let in more than one."""

    registration = serializers.IntegerField()
    name = serializers.CharField()
    scans = EntrySerializer(many=True, help_text="In their order; the first came first.")


@extend_schema_serializer(component_name="ScanBatchResult")
class BatchResultSerializer(serializers.Serializer[Any]):
    id = UUIDField()
    scan = ScanSerializer(allow_null=True)
    error = serializers.ChoiceField(
        choices=["scan_id_reused"], allow_null=True, help_text="Why it was not taken: another scan has this id."
    )


@extend_schema_serializer(component_name="ScanBatch")
class BatchSerializer(serializers.Serializer[Any]):
    server_time = DateTimeField()
    results = BatchResultSerializer(many=True, help_text="One for each scan that was sent, in that order.")
    conflicts = ConflictSerializer(many=True)


@extend_schema_serializer(component_name="GateCounts")
class GateSerializer(serializers.Serializer[Any]):
    gate = serializers.CharField(allow_null=True)
    admitted = serializers.IntegerField(help_text="People whose first scan was here.")
    refused = serializers.IntegerField()
    conflicts = serializers.IntegerField()


class DoorSerializer(serializers.Serializer[Any]):
    opens_at = DateTimeField()
    closes_at = DateTimeField()
    confirmed = serializers.IntegerField(help_text="Registrations with a seat.")
    admitted = serializers.IntegerField(help_text="People who are in.")
    refused = serializers.IntegerField(help_text="Scans that were refused.")
    conflicts = serializers.IntegerField(help_text="Scans that let somebody in after another had.")
    gates = GateSerializer(many=True)
    last_scan_at = DateTimeField(allow_null=True)
    server_time = DateTimeField()


@extend_schema_serializer(component_name="RosterEntry")
class SeatSerializer(serializers.Serializer[Any]):
    registration = serializers.IntegerField()
    issue = serializers.IntegerField(allow_null=True, help_text="Only tickets of this issue are good; null: none is.")
    name = serializers.CharField(allow_null=True)
    admitted_at = DateTimeField(allow_null=True)


class RosterSerializer(serializers.Serializer[Any]):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    since = serializers.CharField(help_text="For the next time; of a list in pages, that of the first.")
    server_time = DateTimeField()
    results = SeatSerializer(many=True)


@extend_schema_serializer(component_name="DoorSearchHit")
class HitSerializer(serializers.Serializer[Any]):
    registration = serializers.IntegerField()
    name = serializers.CharField()
    status = serializers.ChoiceField(choices=Registration.Status.choices)
    admitted_at = DateTimeField(allow_null=True)


@extend_schema_serializer(component_name="DoorSearchHits")
class HitsSerializer(serializers.Serializer[Any]):
    results = HitSerializer(many=True)


# ── Tickets ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class TicketSerializer(serializers.Serializer[Any]):
    registration = serializers.IntegerField()
    event = serializers.IntegerField()
    code = serializers.CharField(help_text="For typing, where no camera reads the QR.")
    token = serializers.CharField(help_text="What the QR says.")
    page = serializers.URLField(help_text="Shows the ticket to whoever has this address.")
    svg = serializers.URLField()
    png = serializers.URLField()


class TicketKeySerializer(serializers.Serializer[Any]):
    kty = serializers.ChoiceField(choices=["OKP"])
    crv = serializers.ChoiceField(choices=["Ed25519"])
    x = serializers.CharField()
    kid = serializers.CharField(help_text="The key id of tokens, in hexadecimal digits.")
    use = serializers.ChoiceField(choices=["sig"])
    alg = serializers.ChoiceField(choices=["EdDSA"])


class TicketKeysSerializer(serializers.Serializer[Any]):
    keys = TicketKeySerializer(many=True)
