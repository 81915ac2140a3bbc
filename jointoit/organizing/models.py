"""What organizers do besides: news to those who come, and seats on their way to somebody else."""

from collections.abc import Sequence
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from jointoit.accounts.models import User
from jointoit.events.models import Event, Registration


class Announcement(models.Model):
    """News that a manager wrote to those who come; the mails themselves are in the outbox."""

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="announcements", db_index=False)
    author = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    subject = models.CharField(max_length=150)
    text = models.TextField(max_length=10_000)
    to = ArrayField(models.CharField(max_length=10))
    recipients = models.PositiveIntegerField(help_text="To how many people it was promised.")
    created_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar[Sequence[str]] = ["-pk"]
        indexes = [models.Index(F("event"), F("id"), name="announcement_event")]

    def __str__(self) -> str:
        return self.subject


class Transfer(models.Model):
    """A seat that is offered to an address; accepted by whoever has shown that it is theirs."""

    registration = models.ForeignKey(Registration, on_delete=models.CASCADE, related_name="transfers", db_index=False)
    email = models.EmailField(max_length=254)
    created_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, help_text="When it was accepted, declined or withdrawn.")

    class Meta:
        ordering: ClassVar[Sequence[str]] = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["registration"],
                condition=Q(settled_at=None),
                name="transfer_one_open_each",
                violation_error_message="This seat is offered to somebody already.",
            )
        ]

    def __str__(self) -> str:
        return f"transfer {self.pk}"
