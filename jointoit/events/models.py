"""What happens and who comes: the nouns, and what a row may be. Who may do what is said by `jointoit.events.roles`.

Registration rows and the seat counters are written by `jointoit.events.booking` alone.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import ClassVar, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Left, Now, Upper
from django.urls import reverse

from jointoit.accounts.models import User
from jointoit.events.folding import FoldedField

DOOR_OPENS_BEFORE = timedelta(hours=3)
#: What titles are sorted by: as they are read, whatever the case. Cut, because folding may lengthen a text eighteenfold
#: and an entry of an index is at most 2,704 bytes.
TITLE_ORDER = Left("title_folded", 255)
#: An event without an end is taken for over so long after its start.
LONGEST = timedelta(hours=24)
#: When the row `event` is over, as `Event.over_at` says it; written so that it may be indexed.
OVER_AT = "coalesce(event.ends_at, (event.date AT TIME ZONE 'UTC' + interval '24 hours') AT TIME ZONE 'UTC')"


@cache
def path_around_id(route: str) -> tuple[str, str]:
    before, _, after = reverse(route, args=[1]).rpartition("1")
    return before, after


def address(route: str, pk: int) -> str:
    """Where one row is found. The route is resolved once: a transaction may write thousands of mails that name it."""
    before, after = path_around_id(route)
    return f"{settings.PUBLIC_URL}{before}{pk}{after}"


class EventQuerySet(models.QuerySet["Event"]):
    def existing(self) -> Self:
        return self.filter(deleted_at=None)


class Event(models.Model):
    class Status(models.TextChoices):
        DRAFT = "draft"
        PUBLISHED = "published"
        CANCELLED = "cancelled"

    class News(models.TextChoices):
        REQUESTS = "requests", "each request at once, the rest once a day"
        EACH = "each", "everything at once"
        DAILY = "daily", "everything once a day"
        NONE = "none", "nothing"

    title = models.CharField(max_length=255)
    title_folded = FoldedField(source="title")
    description = models.TextField(blank=True, default="", max_length=20_000)
    date = models.DateTimeField(help_text="When it starts.")
    ends_at = models.DateTimeField(null=True, blank=True)
    timezone = models.CharField(max_length=64, default="UTC", help_text="IANA name of the place's time zone.")
    location = models.CharField(max_length=255)
    location_folded = FoldedField(source="location")
    organizer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="events", db_index=False)
    capacity = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)], help_text="Seats in all; empty: no limit."
    )
    waitlist = models.BooleanField(default=False, help_text="Whether a full event keeps a waiting list.")
    requires_approval = models.BooleanField(default=False)
    verified_only = models.BooleanField(
        default=False, db_default=False, help_text="Whether only people with a confirmed e-mail may register."
    )
    registration_opens_at = models.DateTimeField(null=True, blank=True)
    registration_closes_at = models.DateTimeField(null=True, blank=True)
    status = models.CharField(max_length=16, choices=Status, default=Status.PUBLISHED)
    checkin_opens_at = models.DateTimeField(null=True, blank=True, help_text="Empty: three hours before the start.")
    checkin_closes_at = models.DateTimeField(
        null=True, blank=True, help_text="Empty: at the end or, without one, 24 hours after the start."
    )
    tags = ArrayField(models.CharField(max_length=50), default=list, blank=True, size=20)
    contact = models.EmailField(  # noqa: DJ001  clients read null where there is none
        max_length=254, null=True, blank=True, help_text="Where replies to the mails go."
    )
    cancel_until = models.DateTimeField(
        null=True, blank=True, help_text="Until when attendees may cancel by themselves; empty: until the end."
    )
    allow_transfers = models.BooleanField(
        default=False, db_default=False, help_text="Whether attendees may hand their seat to somebody else."
    )
    organizer_news = models.CharField(
        max_length=16, choices=News, default=News.REQUESTS, db_default=News.REQUESTS,
        help_text="Which mails the organizer gets about who asks and who comes.",
    )  # fmt: skip
    # Not Positive…: the check would have PostgreSQL look at every row while the table is locked.
    question_count = models.SmallIntegerField(
        default=0, db_default=0, editable=False, help_text="How many questions are asked of whoever registers."
    )
    seats_taken = models.PositiveIntegerField(default=0, editable=False)
    waiting = models.PositiveIntegerField(default=0, editable=False)
    queue_tail = models.PositiveBigIntegerField(
        default=0, editable=False, help_text="The last number given out on the waiting list."
    )
    revision = models.PositiveIntegerField(
        default=0, editable=False, help_text="Grows with every change; the SEQUENCE of RFC 5545 section 3.8.7.4."
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)
    reminded_at = models.DateTimeField(
        null=True, editable=False, help_text="When the reminders for its present date were promised."
    )
    erased_at = models.DateTimeField(
        null=True, editable=False, help_text="When it was forgotten who had been registered, because it was long over."
    )
    hidden_status = models.CharField(  # noqa: DJ001  null: not hidden
        max_length=16, choices=Status, null=True, editable=False,
        help_text="The status that it had when staff hid it; meanwhile it is a draft that nobody publishes.",
    )  # fmt: skip

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[Sequence[str]] = ["date", "pk"]
        indexes = [
            models.Index(F("date"), F("id"), name="event_date", condition=Q(deleted_at=None)),
            models.Index(F("organizer"), F("date"), F("id"), name="event_organizer_date"),
            models.Index(F("status"), F("date"), F("id"), name="event_status_date", condition=Q(deleted_at=None)),
            models.Index(F("created_at"), F("id"), name="event_created", condition=Q(deleted_at=None)),
            models.Index(TITLE_ORDER, F("id"), name="event_title", condition=Q(deleted_at=None)),
            models.Index(F("id"), name="event_hidden", condition=Q(hidden_status__isnull=False)),
            GinIndex(F("tags"), name="event_tags"),
            GinIndex(OpClass(F("title_folded"), name="gin_trgm_ops"), name="event_title_parts"),
            GinIndex(OpClass(F("location_folded"), name="gin_trgm_ops"), name="event_location_parts"),
        ]
        constraints = [
            models.CheckConstraint(
                name="event_ends_after_start",
                condition=Q(ends_at=None) | Q(ends_at__gt=F("date")),
                violation_error_message="An event must end after it starts.",
            ),
            models.CheckConstraint(
                name="event_capacity_positive",
                condition=Q(capacity=None) | Q(capacity__gte=1),
                violation_error_message="An event has at least one seat.",
            ),
            models.CheckConstraint(
                name="event_seats_within_capacity",
                condition=Q(capacity=None) | Q(seats_taken__lte=F("capacity")),
                violation_error_message="More seats are taken than there are.",
            ),
            models.CheckConstraint(
                name="event_registration_opens_before_it_closes",
                condition=Q(registration_opens_at=None)
                | Q(registration_closes_at=None)
                | Q(registration_closes_at__gt=F("registration_opens_at")),
                violation_error_message="Registration must close after it opens.",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return address("event-detail", self.pk)

    @property
    def is_live(self) -> bool:
        return self.status == self.Status.PUBLISHED and self.deleted_at is None

    @property
    def seats_left(self) -> int | None:
        """Seats still to be had; None where there is no limit."""
        return None if self.capacity is None else self.capacity - self.seats_taken

    @property
    def is_full(self) -> bool:
        return self.seats_left == 0

    @property
    def over_at(self) -> datetime:
        return self.ends_at or self.date + LONGEST

    @property
    def registration_ends_at(self) -> datetime:
        """Registration is open until then: `registration_closes_at`, else the start, and at most until the end."""
        return min(self.registration_closes_at or self.date, self.over_at)

    @property
    def promotes_until(self) -> datetime:
        """Until it begins and, where people may register later than that, as long as they may."""
        return max(self.date, self.registration_ends_at)

    @property
    def door_opens(self) -> datetime:
        return self.checkin_opens_at or self.date - DOOR_OPENS_BEFORE

    @property
    def door_closes(self) -> datetime:
        return self.checkin_closes_at or self.over_at

    def has_started(self, now: datetime) -> bool:
        return self.date <= now

    def is_over(self, now: datetime) -> bool:
        return self.over_at <= now


class RegistrationQuerySet(models.QuerySet["Registration"]):
    def live(self) -> Self:
        return self.exclude(status=Registration.Status.CANCELLED)


class Registration(models.Model):
    class Status(models.TextChoices):
        PENDING = "pending"
        CONFIRMED = "confirmed"
        WAITLISTED = "waitlisted"
        CANCELLED = "cancelled"

    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="registrations", db_index=False)
    attendee = models.ForeignKey(User, on_delete=models.PROTECT, related_name="registrations", db_index=False)
    status = models.CharField(max_length=16, choices=Status)
    queue_number = models.PositiveBigIntegerField(
        null=True, editable=False, help_text="Grows in the order of asking; the smallest one waiting is next."
    )
    revision = models.PositiveIntegerField(default=0, editable=False, help_text="Grows with every change of status.")
    registered_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False)
    reminded_at = models.DateTimeField(null=True, editable=False, help_text="When the last reminder was promised.")
    answers = models.JSONField(
        default=dict, db_default={}, editable=False, help_text="What was answered, by the id of the question."
    )
    ticket_issue = models.IntegerField(  # likewise
        default=1, db_default=1, editable=False, help_text="Grows when the ticket is replaced; earlier ones are void."
    )
    wants_reminder = models.BooleanField(
        db_default=True, editable=False, help_text="Off: the attendee asked for no reminder of this event."
    )

    has_event_uid = models.BooleanField(
        default=False,
        db_default=False,
        editable=False,
        help_text="Whether calendars know it by the event's UID: from its first confirmation on, unless an earlier "
        "release wrote that with a UID of the registration's own.",
    )

    position: int | None = None  # on the waiting list, for whoever has just been registered

    objects = RegistrationQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[Sequence[str]] = ["-pk"]
        indexes = [
            models.Index(F("attendee"), F("id"), name="registration_attendee"),
            models.Index(F("event"), F("status"), F("queue_number"), name="registration_queue"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["event", "attendee"],
                condition=~Q(status="cancelled"),
                name="registration_one_live_per_person",
                violation_error_message="This person is already registered.",
            ),
            models.CheckConstraint(
                name="registration_waits_with_a_number",
                condition=~Q(status="waitlisted") | Q(queue_number__isnull=False),
                violation_error_message="Whoever waits has a number.",
            ),
        ]

    def __str__(self) -> str:
        return f"registration {self.pk}"

    def get_absolute_url(self) -> str:
        return address("registration-detail", self.pk)


class Question(models.Model):
    """What an event asks of whoever registers. The answers stand in the registrations."""

    class Type(models.TextChoices):
        TEXT = "text"
        LONG_TEXT = "long_text"
        CHOICE = "choice"
        CHOICES = "choices"
        CONSENT = "consent"
        NUMBER = "number"
        DATE = "date"

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="questions", db_index=False)
    label = models.CharField(max_length=200)
    help = models.CharField(max_length=500, blank=True, default="")
    type = models.CharField(max_length=10, choices=Type)
    required = models.BooleanField(default=False)
    options = ArrayField(models.CharField(max_length=100), default=list, blank=True, size=50)
    position = models.PositiveSmallIntegerField(help_text="The smallest is asked first.")
    archived = models.BooleanField(default=False, help_text="Not asked any more; its answers stay.")

    class Meta:
        ordering: ClassVar[Sequence[str]] = ["position", "pk"]
        indexes = [models.Index(F("event"), F("position"), F("id"), name="question_event")]

    def __str__(self) -> str:
        return self.label


# ── Who helps ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class Membership(models.Model):
    """Somebody who helps the owner with one event or, without one, with all of the owner's, also later ones."""

    class Role(models.TextChoices):
        MANAGER = "manager"
        DOOR = "door"

    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    event = models.ForeignKey(Event, on_delete=models.CASCADE, null=True, related_name="memberships")
    member = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships", db_index=False)
    role = models.CharField(max_length=10, choices=Role)
    since = models.DateTimeField()

    class Meta:
        ordering: ClassVar[Sequence[str]] = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["member", "owner", "event"],
                name="membership_one_for_each_event",
                nulls_distinct=False,
                violation_error_message="This person is in the team already.",
            ),
            models.CheckConstraint(
                name="membership_of_somebody_else",
                condition=~Q(member=F("owner")),
                violation_error_message="The owner is no helper.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.pk}"


class Invitation(models.Model):
    """A role that is offered by mail: as a helper or, with the role of the owner, the event itself."""

    class Role(models.TextChoices):
        OWNER = "owner"
        MANAGER = "manager"
        DOOR = "door"

    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    event = models.ForeignKey(Event, on_delete=models.CASCADE, null=True, related_name="invitations")
    email = models.EmailField(max_length=254)
    role = models.CharField(max_length=10, choices=Role)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, help_text="When it was accepted, declined or withdrawn.")

    class Meta:
        ordering: ClassVar[Sequence[str]] = ["pk"]
        indexes = [models.Index(Upper("email"), name="invitation_address", condition=Q(settled_at=None))]

    def __str__(self) -> str:
        return f"{self.role} {self.pk}"


class DoorPass(models.Model):
    """Lets helpers without an account scan at one event; stored as the digest of its secret."""

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="door_passes")
    label = models.CharField(max_length=100)
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar[Sequence[str]] = ["pk"]

    def __str__(self) -> str:
        return f"door pass {self.pk}"
