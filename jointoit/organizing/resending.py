"""The present mail about a registration once more, for who has lost it."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction

from jointoit.accounts.callers import Caller
from jointoit.errors import TooOften
from jointoit.events import booking, notifications
from jointoit.events.models import Registration
from jointoit.events.refusals import ImpossibleStep
from jointoit.mail import messages, outbox
from jointoit.mail.models import OutboxMail

PER_DAY: Final = 3  # for the attendee; who manages the event sends as many as it takes
Status = Registration.Status


def send_again(*, caller: Caller, registration_id: int, now: datetime) -> None:
    """Raises NotFound, ImpossibleStep for a registration that has ended, TooOften for an attendee's fourth of a day."""
    with transaction.atomic():
        registration, manager = booking.lock_registration(registration_id, caller)
        if registration.status == Status.CANCELLED:
            raise ImpossibleStep("A registration that has ended has no present mail.")
        about = f"{notifications.about(registration.pk)}again."
        sent = OutboxMail.objects.filter(dedupe_key__startswith=about)
        recent = sent.filter(created_at__gt=now - timedelta(days=1))
        if manager is None and recent.count() >= PER_DAY:
            raise TooOften(f"Your mail is sent again at most {PER_DAY} times a day.", retry_after=86_400)
        kind, told = present(registration)
        key = f"{about}{sent.count() + 1}:{kind.kind}"
        message = notifications.message(kind, registration, notifications.event_payload(registration.event), **told)
        outbox.enqueue(message, key=key)


def present(registration: Registration) -> tuple[type[messages.SeatMessage], dict[str, Any]]:
    kind, told = booking.notice_of_status(registration)
    if registration.status == Status.WAITLISTED:
        ahead = registration.event.registrations.filter(
            status=Status.WAITLISTED, queue_number__lte=registration.queue_number
        )
        told = {"position": ahead.count()}
    return kind, told
