"""What the sweeper does for events, and what they tell operators of themselves."""

from datetime import timedelta

from jointoit.api.observability import metrics
from jointoit.events import history, reminders, team
from jointoit.events.metrics import count_registration, seats
from jointoit.process import periodic

periodic.register(reminders.promise_due)
periodic.register(history.prune, every=timedelta(hours=1))
periodic.register(team.prune, every=timedelta(hours=1))
metrics.register(seats)
metrics.observe("event-register", count_registration)
