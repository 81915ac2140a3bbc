"""Passes for helpers without an account: good for the door of one event, and for a time."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.utils.crypto import constant_time_compare

from jointoit.accounts import keys
from jointoit.accounts.callers import Caller
from jointoit.accounts.tokens import DeadToken
from jointoit.api.lists.prepared import PreparedQuery, columns_of, instance_of
from jointoit.errors import Conflict, NotFound
from jointoit.events import scheduling
from jointoit.events.models import DoorPass, Event

PREFIX: Final = "jtd"
AFTER_THE_END: Final = timedelta(hours=12)
LONGEST: Final = timedelta(days=366)
MOST: Final = 50  # living passes of one event

HOLDER: Final = PreparedQuery(
    f"SELECT {columns_of(DoorPass, 'pass')} FROM events_doorpass AS pass "
    "WHERE pass.id = %(pk)s AND pass.revoked_at IS NULL AND pass.expires_at > %(now)s"
)
SHARED: Final = PreparedQuery(
    "SELECT id FROM events_doorpass WHERE id = %(pk)s AND revoked_at IS NULL AND expires_at > %(now)s FOR SHARE"
)


class TooManyPasses(Conflict):
    code = "too_many_passes"
    message = f"An event has at most {MOST} door passes."
    remedy = "End one that is not needed any more."


def create(
    *, caller: Caller, event_id: int, label: str, now: datetime, expires_at: datetime | None = None
) -> tuple[DoorPass, str]:
    """Make a pass; its text is given this once. Raises NotFound, NotYourEvent, BadExpiry, TooManyPasses."""
    with transaction.atomic():
        event, _ = scheduling.lock(event_id, caller)
        expires_at = expires_at or max(event.over_at, now) + AFTER_THE_END
        if not now < expires_at <= max(event.over_at, now) + LONGEST:
            raise keys.BadExpiry(field="expires_at")
        if living(event, now=now).count() >= MOST:
            raise TooManyPasses
        secret = keys.random_secret()
        door_pass = DoorPass.objects.create(
            event=event, label=label, digest=keys.digest(secret), created_at=now, expires_at=expires_at
        )
    return door_pass, keys.written(door_pass.pk, secret, prefix=PREFIX)


def revoke(*, caller: Caller, event_id: int, pass_id: int, now: datetime) -> None:
    """End a pass at once. Raises NotFound, NotYourEvent."""
    with transaction.atomic():
        event, _ = scheduling.lock(event_id, caller)
        if not living(event, now=now).filter(pk=pass_id).update(revoked_at=now):
            raise NotFound


def living(event: Event, *, now: datetime) -> Any:
    return event.door_passes.filter(revoked_at=None, expires_at__gt=now)


def authenticate(text: str, *, now: datetime) -> DoorPass:
    """Which pass this is, with one query, and none for what is written as no pass. Raises DeadToken, for any reason."""
    pk, secret = keys.read(text, prefix=PREFIX)
    row = HOLDER.row({"pk": pk, "now": now})
    if row is None or not constant_time_compare(row["digest"], keys.digest(secret)):
        raise DeadToken
    return instance_of(DoorPass, row)


def share(pass_id: int, *, now: datetime) -> None:
    """Keep a pass from being ended until the transaction ends, beside others that do. Raises DeadToken."""
    if SHARED.row({"pk": pass_id, "now": now}) is None:
        raise DeadToken
