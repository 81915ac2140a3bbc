"""Last month's event again: a draft with the same words and questions, whose other times move along with the clock."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.db import transaction

from jointoit.accounts.callers import Caller, ScopeMissing
from jointoit.accounts.models import User
from jointoit.api.fields import FIRST, LAST
from jointoit.errors import Invalid
from jointoit.events import facts, scheduling
from jointoit.events.models import Event, Membership, Question

COPIED = (
    "title", "description", "timezone", "location", "organizer_id", "capacity", "waitlist", "requires_approval", "tags",
    "contact", "allow_transfers", "organizer_news", "verified_only",
)  # fmt: skip
MOVED = (
    "ends_at", "registration_opens_at", "registration_closes_at", "cancel_until", "checkin_opens_at",
    "checkin_closes_at",
)  # fmt: skip


class TooFarAway(Invalid):
    code = "too_far_away"
    message = "With this date other times of the event lie outside of the years that can be kept."
    remedy = "Send a `date` nearer to today."
    shown_field = "date"


def duplicate(*, caller: Caller, event_id: int, date: datetime, now: datetime, title: str | None = None) -> Event:
    """A draft of the same owner, with the same team. Nobody is registered for it.

    Raises ScopeMissing for a key that is for some events, NotFound, NotYourEvent, Invalid for a date that cannot be,
    TooManyEvents.
    """
    if caller.is_for_some_events:
        raise ScopeMissing
    with transaction.atomic():
        # The owner, before the event as everywhere: nothing else is created for them meanwhile.
        for owner in Event.objects.filter(pk=event_id).values_list("organizer", flat=True):
            User.objects.lock(owner).first()
        source, actor = scheduling.lock(event_id, caller, None)
        scheduling.refuse_more(source.organizer, now=now)
        copied = {name: getattr(source, name) for name in COPIED}
        moved = {name: moved_along(getattr(source, name), source, date) for name in MOVED}
        made = Event(**copied | moved, date=date, status=Event.Status.DRAFT, created_at=now, updated_at=now)
        made.title = title or made.title
        scheduling.refuse(made, ["date"], now=now)
        questions = list(source.questions.filter(archived=False))
        made.question_count = len(questions)
        made.save(force_insert=True)
        for question in questions:
            question.pk, question.event = None, made
        Question.objects.bulk_create(questions)
        Membership.objects.bulk_create(
            Membership(owner_id=row.owner_id, event=made, member_id=row.member_id, role=row.role, since=now)
            for row in source.memberships.all()
        )
        told = facts.told(made, facts.TOLD) | {"duplicate_of": source.pk}
        facts.record_event("created", made, actor=actor, now=now, after=told)
    return made


def moved_along(time: datetime | None, source: Event, date: datetime) -> datetime | None:
    """As far from the new date, by the clock at the place, as it was from the old one. Raises TooFarAway."""
    if time is None:
        return None
    zone = ZoneInfo(source.timezone)
    distance = wall(time, zone) - wall(source.date, zone)
    try:
        moved = (wall(date, zone) + distance).replace(tzinfo=zone).astimezone(UTC)
    except OverflowError:
        raise TooFarAway(field="date") from None
    if not FIRST <= moved <= LAST:
        raise TooFarAway(field="date")
    return moved


def wall(time: datetime, zone: ZoneInfo) -> datetime:
    return time.astimezone(zone).replace(tzinfo=None)
