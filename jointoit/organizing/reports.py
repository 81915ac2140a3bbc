"""Reports about events, from anybody to the staff, who read them in the admin."""

from datetime import datetime
from typing import Any

from django.dispatch import receiver

from jointoit.accounts.models import User
from jointoit.accounts.signals import account_is_closing
from jointoit.events.models import Event
from jointoit.organizing.models import Report


def report(*, event: Event, kind: str, text: str, reporter: User | None, now: datetime) -> Report:
    """Tell staff of an event that the reporter may see."""
    return Report.objects.create(event=event, kind=kind, text=text, reporter=reporter, created_at=now)


def settle(*, report_id: int, now: datetime) -> None:
    """Be done with a report; twice is once."""
    Report.objects.filter(pk=report_id, settled_at=None).update(settled_at=now)


@receiver(account_is_closing)
def forget(*, user: User, **_: Any) -> None:
    """What somebody wrote may say who they are; that there was a report stays."""
    Report.objects.filter(reporter=user).update(reporter=None, text="")
