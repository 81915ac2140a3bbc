"""What the mail tells others of itself, and what the periodic process does for it."""

from datetime import timedelta
from typing import Any

from celery import signals

from jointoit.api import pruning
from jointoit.api.observability import health, metrics
from jointoit.mail import claims, delivery
from jointoit.mail.metrics import Outbox
from jointoit.mail.status import probe
from jointoit.process import database_clock, periodic
from jointoit.process import worker_guard as worker_guard
from jointoit.process import worker_heartbeat as worker_heartbeat

periodic.register_stoppable(lambda _, stop: delivery.deliver_due(stop=stop), every=timedelta(0))  # in every round
periodic.register(delivery.retire)
periodic.register(lambda now: claims.scrub(now=now), every=timedelta(hours=1))
periodic.register(pruning.prune, every=timedelta(minutes=10))
metrics.register(Outbox())
health.register("mail", lambda: probe(now=database_clock.now()))


@signals.worker_ready.connect
def offer_figures(**_: Any) -> None:
    """In the process that starts the others: it outlives them, and reads what they counted."""
    metrics.offer()
