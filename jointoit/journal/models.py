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

    public = models.BooleanField(
        db_default=False, help_text="Of a published event, and about the event itself: anybody reads it in the feed."
    )

    class Meta:
        ordering: ClassVar[Sequence[str]] = ["pk"]
        indexes = [
            models.Index(F("event_id"), F("transaction"), F("id"), name="fact_event_feed"),
            models.Index(F("transaction"), F("id"), name="fact_transaction"),
            models.Index(F("transaction"), F("id"), name="fact_public", condition=Q(public=True)),
            models.Index(
                F("registration_id"), F("id"), name="fact_registration", condition=Q(registration_id__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.pk}"


class FeedState(models.Model):
    """The one row that says which cursors of the feed are still good.

    It is as a whole another one in a restored copy, where the numbers of transactions begin anew or run again.
    """

    home = models.TextField(help_text="Server, database and timeline that it was written in.")
    era = models.UUIDField(db_default=Func(function="gen_random_uuid"), help_text="In every cursor.")
    pruned = models.BigIntegerField(default=0, help_text="How many events were forgotten so far.")
    pruned_transaction = models.BigIntegerField(default=0, help_text="Up to where facts were forgotten.")
    pruned_id = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = verbose_name_plural = "feed state"
        constraints = [models.CheckConstraint(name="feed_state_is_one_row", condition=Q(id=1))]

    def __str__(self) -> str:
        return "feed state"


class FeedPosition(models.Model):
    """The one row that says up to where somebody who follows the feed has read it (`feed.follow`)."""

    place = models.JSONField(help_text="A cursor of the feed.")

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return "position"
