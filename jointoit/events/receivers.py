"""What an account that goes away means for events."""

from datetime import datetime
from typing import Any

from django.dispatch import receiver

from jointoit.accounts.models import User
from jointoit.accounts.signals import account_closing
from jointoit.events import booking, scheduling


@receiver(account_closing)
def hand_seats_on(*, user: User, now: datetime, **_: Any) -> None:
    """Free and hand on every seat of the person, and call off what they had planned."""
    booking.leave_all(attendee=user, now=now)
    scheduling.cancel_future_events(organizer=user, now=now)
