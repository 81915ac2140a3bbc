"""What the periodic process does for webhooks, and what they tell operators of themselves."""

from datetime import timedelta

from django.utils import timezone

from jointoit.api.observability import metrics
from jointoit.events import invariants
from jointoit.process import periodic
from jointoit.webhooks import claims, delivery, health
from jointoit.webhooks.invariants import violations
from jointoit.webhooks.metrics import figures

periodic.register_beside("webhooks", lambda stop: delivery.run(stop, clock=timezone.now))
periodic.register(health.judge)
periodic.register(lambda now: claims.retire(now=now))
periodic.register(health.prune, every=timedelta(hours=1))
metrics.register(figures)
invariants.register(violations)
