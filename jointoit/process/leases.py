"""What mail and webhooks have in common: each row is the promise of one delivery, whoever makes it.

A sender claims a row for a lease, delivers with nothing locked and no transaction open, and settles it if the claim
still holds. `not_before` moves to the end of the lease when a row is claimed: one whose sender died comes again by
itself. What fails is tried again later and later, until it is given up.

`MAIL_CLOCK_SPEED` (1 in production) shortens every span alike, so that a test lives through a day in a minute.
"""

import time
from collections.abc import Callable
from datetime import timedelta
from random import uniform
from typing import Final

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, models
from django.db.models.functions import Now

SPEED: Final[float] = settings.MAIL_CLOCK_SPEED
#: How long a claim lasts; a sender that was killed is replaced after it.
LEASE: Final = timedelta(minutes=2) / SPEED
#: What became of a row is worth waiting for a database that restarts: forgotten, it would be delivered twice.
PATIENCE: Final = 40.0  # seconds, below the lease and the time limit of a task
#: What a claim writes, with `claim` and the end of its lease as `until`; it holds while the row has the same claim.
CLAIMED: Final = "claim = %(claim)s, lease_until = %(until)s, not_before = %(until)s"
RELEASED: Final = "claim = NULL, lease_until = NULL"


class Delivery(models.Model):
    """The columns of a row that is delivered. The rows' own states say whether it is still pending."""

    not_before = models.DateTimeField(db_default=Now(), help_text="The next attempt is made no sooner.")
    give_up_at = models.DateTimeField(help_text="Not tried any more after this.")
    claim = models.UUIDField(null=True, editable=False, help_text="Who is sending it now.")
    lease_until = models.DateTimeField(null=True, editable=False, help_text="After this the claim is void.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    settled_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        abstract = True


def doubling(count: int, *, first: timedelta, longest: timedelta) -> timedelta:
    """How long to wait after so many attempts (1 is the first): doubling, with ±25 % jitter."""
    wait = min(first * 2.0 ** min(max(count - 1, 0), 16), longest)
    return wait * uniform(0.75, 1.25)  # noqa: S311  no secret is drawn


def persistently(write: Callable[[], int]) -> int:
    """Do `write` also through a restart of the database; raises what it raises once patience is at its end."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return write()
        except (OperationalError, InterfaceError):
            if connection.in_atomic_block or time.monotonic() > deadline:
                raise
            connection.close()
            time.sleep(0.2)
