"""What tests of those who follow the feed have in common."""

import time

from django.db.models import Max

from jointoit.journal import feed
from jointoit.journal.models import Fact

PATIENCE = 30.0  # seconds


def wait_until_shown() -> None:
    """Until the feed shows every fact that is committed.

    It waits for transactions of other tests on the same server while PostgreSQL cannot say in which database they are.
    """
    last = Fact.objects.aggregate(last=Max("transaction"))["last"] or 0
    until = time.monotonic() + PATIENCE
    while feed.now().transaction <= last:
        assert time.monotonic() < until, "a transaction that began before the last fact does not end"
        time.sleep(0.01)
