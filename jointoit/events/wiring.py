"""What the events tell operators of themselves."""

from jointoit.api import metrics
from jointoit.events.metrics import count_registration, seats

metrics.register(seats)
metrics.observe("event-register", count_registration)
