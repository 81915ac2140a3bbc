"""The outbox: each row is the promise of one mail, made in the transaction of the fact it tells."""

from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from jointoit.process.leases import Delivery


class OutboxMail(Delivery):
    class State(models.TextChoices):
        PENDING = "pending"
        SENT = "sent"
        DEAD = "dead", "dead: will not be tried again"
        EXPIRED = "expired", "expired: came too late to be of use"
        SUPERSEDED = "superseded", "superseded by a later fact"

    kind = models.CharField(max_length=64)
    payload = models.JSONField(db_column="facts", help_text="The message as it was when it was promised.")
    recipient = models.EmailField(max_length=254)
    topic = models.CharField(
        max_length=64, db_default="", help_text="What it is about; mails of one topic reach a person in their order."
    )
    dedupe_key = models.CharField(max_length=200, unique=True, help_text="One fact, one mail.")
    message_id = models.CharField(max_length=320, help_text="The same for every attempt.")
    priority = models.SmallIntegerField()
    state = models.CharField(max_length=16, choices=State, default=State.PENDING)
    attempt = models.PositiveIntegerField(default=0, help_text="Attempts that the mail server answered for this mail.")
    failures = models.PositiveSmallIntegerField(default=0, help_text="Times it could not even be written.")
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Of no use after this.")
    last_answer = models.TextField(blank=True, default="", help_text="What the mail server said last.")
    held_at = models.DateTimeField(
        null=True, editable=False, help_text="Since when it waits for its address to be verified."
    )
    forget = models.BooleanField(db_default=False, editable=False, help_text="Erase what it said once it is settled.")

    objects: ClassVar[models.Manager[Self]] = models.Manager()

    #: No columns. `claims.claim` sets when the mail should have gone, to put it back in its old place; and where it was
    #: claimed, as the how manieth batch.
    was_due: datetime
    #: Whether an attempt was made before, whose outcome may not be known.
    was_tried: bool
    #: In `lines`: the claimed mail that this one is behind.
    head: int
    place: str
    claims: int

    class Meta:
        verbose_name = "mail"
        verbose_name_plural = "outbox"
        indexes = [
            models.Index(F("priority"), F("not_before"), F("id"), name="outbox_due", condition=Q(state="pending")),
            models.Index(F("recipient"), F("topic"), F("state"), F("id"), name="outbox_line"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class MailStop(models.Model):
    """What somebody wants no mail of any more. A keyed hash of the address is kept; empty: nobody gets it."""

    #: Everything but what is about the account itself, which its owner asks for.
    SERVICE = "service"
    #: Everything: the address is that of a stranger, who knows nothing of us.
    ALL = "all"

    digest = models.CharField(max_length=64)
    topic = models.CharField(max_length=64, help_text="An event, as in the outbox; `service`, or `all`.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects: ClassVar[models.Manager[Self]] = models.Manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["digest", "topic"], name="mail_stop_once")]

    def __str__(self) -> str:
        return f"no mail: {self.topic}"


class SendControl(models.Model):
    """The one row that all senders look at: whether mail may go out at all, and how fast.

    It lives in PostgreSQL, beside the mails, so that every worker and sweeper on every machine agrees.
    """

    held_at = models.DateTimeField(null=True, help_text="Since when an operator keeps all mail back.")
    held_because = models.TextField(blank=True, default="")
    down_since = models.DateTimeField(
        null=True, db_column="ill_since", help_text="Since when the mail server does not serve us."
    )
    down_answer = models.TextField(blank=True, default="", db_column="ill_answer", help_text="What it said or did.")
    probe_at = models.DateTimeField(null=True, help_text="When one mail may be tried again.")
    paced_until = models.DateTimeField(null=True, help_text="The next free slot of MAIL_RATE.")
    home = models.TextField(blank=True, default="", help_text="What the release before knew of `place`.")
    place = models.TextField(
        blank=True, db_default="", help_text="Where it was written; a copy that was restored finds another place here."
    )
    claims = models.BigIntegerField(db_default=0, help_text="Batches of mail that were claimed, ever.")
    looked_at = models.DateTimeField(null=True, help_text="When a worker or sweeper last looked for mail.")

    objects: ClassVar[models.Manager[Self]] = models.Manager()

    class Meta:
        db_table = "mail_mailgate"
        verbose_name = verbose_name_plural = "send control"
        constraints = [models.CheckConstraint(name="mail_gate_is_one_row", condition=Q(id=1))]

    def __str__(self) -> str:
        return "send control"
