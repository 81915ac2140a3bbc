"""The only retry policy of webhooks: when a message is tried again, and when its address is left alone."""

from datetime import timedelta
from typing import Final

from jointoit.process.leases import SPEED, doubling

#: Seconds for one attempt: resolve, connect, send, and read what comes back.
TIMEOUT: Final = max(1.0, 15 / SPEED)
GIVE_UP_AFTER: Final = timedelta(days=3) / SPEED
FIRST_RETRY: Final = timedelta(seconds=10) / SPEED
SLOWEST_RETRY: Final = timedelta(hours=6) / SPEED
LONGEST_WAIT: Final = timedelta(days=1) / SPEED  # of those that a Retry-After may ask for
#: So many failures in a row speak against the address, not against the messages; so does a single timeout.
FAILURES_TO_PAUSE: Final = 3
FIRST_PAUSE: Final = timedelta(seconds=5) / SPEED
LONGEST_PAUSE: Final = timedelta(minutes=5) / SPEED
WARN_AFTER: Final = timedelta(days=1) / SPEED
DISABLE_AFTER: Final = timedelta(days=5) / SPEED
#: How long after a rotation the secret before signs as well.
OVERLAP: Final = timedelta(days=1)
KEEP: Final = timedelta(days=30)


def retry_after(attempt: int) -> timedelta:
    """How long to wait after the given attempt (1 is the first): 10 seconds to 6 hours."""
    return doubling(attempt, first=FIRST_RETRY, longest=SLOWEST_RETRY)


def pause_after(failures: int) -> timedelta:
    """How long an address is left alone after so many failures in a row: 5 seconds to 5 minutes."""
    return doubling(failures, first=FIRST_PAUSE, longest=LONGEST_PAUSE)
