"""What the mail tells others of itself, and what its sweeper does for them."""

from datetime import timedelta
from typing import Any

from celery import signals
from django.utils import timezone

from jointoit.api import health, metrics, pruning
from jointoit.mail import heartbeat as heartbeat
from jointoit.mail import sweeper
from jointoit.mail.metrics import Outbox
from jointoit.mail.status import probe

sweeper.register(sweeper.retire)
sweeper.register(sweeper.scrub, every=timedelta(hours=1))
sweeper.register(pruning.prune, every=timedelta(minutes=10))
metrics.register(Outbox())
health.register("mail", lambda: probe(now=timezone.now()))


@signals.worker_ready.connect
def offer_figures(**_: Any) -> None:
    """In the process that starts the others: it outlives them, and reads what they counted."""
    metrics.offer()
