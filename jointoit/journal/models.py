"""What happened: one row for each fact, written in its transaction."""

from collections.abc import Sequence
from typing import ClassVar

from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Cast


class Fact(models.Model):
    """A step that was taken, by whom, and what it changed. Never a name, an address or an answer.

    Events, registrations and people are named by their ids alone: a fact outlives what it tells of, and erasing a
    person rewrites none.
    """

    type = models.CharField(max_length=40, help_text="What happened, such as `registration.confirmed`.")
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=10)
    actor_id = models.BigIntegerField(null=True)
    event_id = models.BigIntegerField()
    registration_id = models.BigIntegerField(null=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    request_id = models.UUIDField(null=True)
    transaction = models.BigIntegerField(
        db_default=Cast(Cast(Func(function="pg_current_xact_id"), models.TextField()), models.BigIntegerField()),
        help_text="In whose order facts become visible: ids are given before their transactions commit.",
    )

    class Meta:
        ordering: ClassVar[Sequence[str]] = ["pk"]
        indexes = [
            models.Index(F("event_id"), F("id"), name="fact_event"),
            models.Index(F("transaction"), F("id"), name="fact_transaction"),
            models.Index(
                F("registration_id"), F("id"), name="fact_registration", condition=Q(registration_id__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.pk}"
