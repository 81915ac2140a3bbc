"""What was scanned at the door: a row for each scan, whatever came of it. Written by `jointoit.checkin.door` alone."""

from collections.abc import Sequence
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from jointoit.events.models import Event, Registration

#: A scan that let somebody in and was not undone.
STANDS = Q(entered=True, undone_at=None)


class Scan(models.Model):
    """A ticket that was held to a device, and what was decided when the scan arrived; that never changes.

    Who is in, which scan came first, and what contradicts it, is computed from all rows in the order of `scanned_at`
    and `id`. No name and no address is kept here, nor what was read.
    """

    class Result(models.TextChoices):
        ADMITTED = "admitted"
        REFUSED = "refused"

    class Reason(models.TextChoices):
        ALREADY_ADMITTED = "already_admitted"
        CANCELLED = "cancelled"
        NOT_CONFIRMED = "not_confirmed"
        REISSUED = "reissued"
        WRONG_EVENT = "wrong_event"
        FORGED = "forged"
        UNKNOWN_CODE = "unknown_code"
        NOT_OPEN = "not_open"
        EVENT_CANCELLED = "event_cancelled"

    id = models.UUIDField(primary_key=True, editable=False, help_text="Made by the device.")
    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="+", db_index=False)
    registration = models.ForeignKey(
        Registration, on_delete=models.PROTECT, null=True, related_name="scans", db_index=False
    )
    result = models.CharField(max_length=8, choices=Result)
    reason = models.CharField(max_length=16, choices=Reason, null=True)  # noqa: DJ001  null: nothing stood against it
    gate = models.CharField(max_length=50, null=True)  # noqa: DJ001  null: the device did not say
    entered = models.BooleanField(
        help_text="Whether somebody was let in: by this answer, or before it by a device without network."
    )
    scanned_at = models.DateTimeField(help_text="By the clock of the service, and never after `received_at`.")
    received_at = models.DateTimeField()
    first = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="+", db_index=False,
        help_text="The scan that had let the person in, as known when this one arrived.",
    )  # fmt: skip
    actor_kind = models.CharField(max_length=10)
    actor_id = models.BigIntegerField(null=True)
    account_id = models.BigIntegerField(null=True, help_text="Of whoever scanned; null for a door pass.")
    pass_id = models.BigIntegerField(null=True, help_text="Of the door pass with which it was scanned.")
    content = models.CharField(max_length=32, help_text="A digest of what the device sent under this id.")
    undone_at = models.DateTimeField(null=True)
    undone_by_kind = models.CharField(max_length=10, null=True)  # noqa: DJ001  null as long as it stands
    undone_by_id = models.BigIntegerField(null=True)

    class Meta:
        ordering: ClassVar[Sequence[str]] = ["received_at", "pk"]
        indexes = [
            models.Index(F("event"), F("received_at"), F("id"), name="scan_event"),
            models.Index(F("registration"), F("scanned_at"), F("id"), name="scan_entries", condition=STANDS),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["registration"],
                condition=Q(result="admitted", undone_at=None),
                name="scan_one_admission",
                violation_error_message="This ticket has let somebody in already.",
            ),
            models.CheckConstraint(
                name="scan_admits_a_registration",
                condition=Q(result="refused", reason__isnull=False)
                | Q(result="admitted", reason=None, entered=True, registration__isnull=False),
                violation_error_message="An admission is of a registration, a refusal has a reason.",
            ),
        ]

    def __str__(self) -> str:
        return f"scan {self.pk}"
