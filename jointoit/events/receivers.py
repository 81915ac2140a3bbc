"""What an account that goes away means for events."""

from datetime import datetime
from typing import Any

from django.db.models.functions import Now
from django.dispatch import receiver

from jointoit.accounts.models import User
from jointoit.accounts.signals import account_is_closing, account_was_taken_over
from jointoit.events import booking, scheduling, team
from jointoit.events.models import DoorPass, Invitation, Membership


@receiver(account_is_closing)
def hand_seats_on(*, user: User, now: datetime, **_: Any) -> None:
    """Hand on what the person had planned, or call it off; then free and hand on every seat of theirs.

    All these events are held first, in one order, so that two accounts that close at once cannot wait for each other;
    and what is called off is called off before anybody is brought into it.
    """
    team.lock_heirs(user)
    booking.lock_all_of(user)
    team.forget_contact(user)
    team.hand_on(user, now=now)
    scheduling.cancel_future_events(organizer=user, now=now)
    booking.leave_all(attendee=user, now=now)
    booking.forget_answers(user)
    team.forget(user)


@receiver(account_was_taken_over)
def part_from_helpers(*, user: User, **_: Any) -> None:
    Membership.objects.filter(owner=user).delete()
    Invitation.objects.filter(owner=user).delete()
    DoorPass.objects.filter(event__organizer=user, revoked_at=None).update(revoked_at=Now())
