"""What the sweeper does for events, and what they tell operators of themselves."""

from jointoit.api.observability import metrics
from jointoit.events import reminders
from jointoit.events.metrics import count_registration, seats
from jointoit.process import periodic

periodic.register(reminders.promise_due)
metrics.register(seats)
metrics.observe("event-register", count_registration)
