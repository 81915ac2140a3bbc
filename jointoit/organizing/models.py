"""What organizers do besides: news to those who come, and seats on their way to somebody else."""

from collections.abc import Sequence
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from jointoit.accounts.models import User
from jointoit.events.models import Event, Registration
from jointoit.journal.models import FeedPosition


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


class NewsPosition(FeedPosition):
    """Up to where facts are counted as news for organizers."""

    class Meta:
        constraints = [models.CheckConstraint(name="news_position_is_one_row", condition=Q(id=1))]


class EventNews(models.Model):
    """What attendees did at an event that its organizer has not been told."""

    event = models.OneToOneField(Event, on_delete=models.CASCADE, primary_key=True, related_name="news")
    asked = models.PositiveIntegerField(default=0)
    came = models.PositiveIntegerField(default=0)
    queued = models.PositiveIntegerField(default=0)
    cancelled = models.PositiveIntegerField(default=0)
    since = models.DateTimeField(null=True, help_text="When the first of it happened; empty: there is nothing to tell.")
    fact = models.BigIntegerField(help_text="The last fact that is counted.")
    told_at = models.DateTimeField(null=True, help_text="When the organizer was told last.")

    class Meta:
        verbose_name_plural = "event news"

    def __str__(self) -> str:
        return f"news of event {self.pk}"


class Report(models.Model):
    """What somebody told staff about an event that should perhaps not be there."""

    class Kind(models.TextChoices):
        SPAM = "spam", "It is advertising, or no event at all"
        FRAUD = "fraud", "It deceives people"
        HARM = "harm", "It is hateful, or dangerous to somebody"
        LAW = "law", "It is against the law"
        OTHER = "other", "Something else"

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="reports")
    kind = models.CharField(max_length=10, choices=Kind)
    text = models.TextField(max_length=2_000, blank=True, default="")
    reporter = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, related_name="+", help_text="Empty: nobody was logged in."
    )
    created_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, help_text="When staff were done with it.")

    class Meta:
        ordering: ClassVar[Sequence[str]] = ["-pk"]

    def __str__(self) -> str:
        return f"report {self.pk}"
