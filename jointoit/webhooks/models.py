"""Addresses that want to hear what happens, and the messages to them, each the promise of one delivery."""

from collections.abc import Sequence
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Func, Q

from jointoit.journal.models import FeedPosition
from jointoit.process.leases import Delivery


class Webhook(models.Model):
    class DisabledReason(models.TextChoices):
        OWNER = "owner", "its owner switched it off"
        GONE = "gone", "it answered 410 Gone"
        FAILING = "failing", "it took no message for days"
        RESET = "reset", "the password of its owner was reset"

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="webhooks")
    url = models.CharField(max_length=2000)
    types = ArrayField(models.CharField(max_length=40), help_text="The types of facts that it wants.")
    events = ArrayField(models.BigIntegerField(), null=True, help_text="The events it is about; null: all of them.")
    seed = models.CharField(max_length=64, help_text="With SECRET_KEY it makes the secret, which is not stored.")
    previous_seed = models.CharField(max_length=64, blank=True, default="")
    previous_until = models.DateTimeField(null=True, help_text="Until then the secret before signs as well.")
    enabled = models.BooleanField(default=True)
    disabled_reason = models.CharField(max_length=10, choices=DisabledReason, blank=True, default="")
    failures = models.PositiveIntegerField(default=0, help_text="Attempts in a row that failed.")
    failing_since = models.DateTimeField(null=True)
    warned_at = models.DateTimeField(null=True, help_text="When its owner was told that it fails.")
    paused_until = models.DateTimeField(null=True, help_text="One message is tried then; the others wait for it.")
    last_success_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar[Sequence[str]] = ["pk"]

    def __str__(self) -> str:
        return f"webhook {self.pk}"


class Message(Delivery):
    """One fact for one webhook. `message_id` is the same for every attempt, and nobody else's ever."""

    class State(models.TextChoices):
        PENDING = "pending"
        SENT = "sent"
        FAILED = "failed", "failed: will not be tried again by itself"
        WITHDRAWN = "withdrawn", "withdrawn: its owner no longer manages the event"

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="messages")
    message_id = models.UUIDField(unique=True, db_default=Func(function="gen_random_uuid"))
    type = models.CharField(max_length=40)
    event_id = models.BigIntegerField(null=True, help_text="Null for a test.")
    fact_id = models.BigIntegerField(null=True)
    body = models.TextField(help_text="As it is signed and sent.")
    state = models.CharField(max_length=10, choices=State, default=State.PENDING, db_default="pending")
    attempt = models.PositiveIntegerField(default=0, db_default=0, help_text="Attempts so far.")
    status = models.PositiveIntegerField(null=True, help_text="Of the last answer.")
    milliseconds = models.PositiveIntegerField(null=True, help_text="That the last attempt took.")
    answer = models.TextField(blank=True, default="", db_default="", help_text="How the last answer began.")

    class Meta:
        indexes = [
            models.Index(F("webhook"), F("not_before"), F("id"), name="message_due", condition=Q(state="pending")),
            models.Index(F("webhook"), F("id"), name="message_log"),
            models.Index(F("created_at"), name="message_age"),
        ]
        constraints = [
            models.UniqueConstraint(
                F("webhook"), F("fact_id"), name="one_message_a_fact", violation_error_message="It is there already."
            )
        ]

    def __str__(self) -> str:
        return f"msg_{self.message_id.hex}"


class Position(FeedPosition):
    """Up to where facts have become messages."""

    class Meta:
        constraints = [models.CheckConstraint(name="position_is_one_row", condition=Q(id=1))]
