"""What the sweeper does for events."""

from jointoit.events import reminders
from jointoit.mail import sweeper

sweeper.register(reminders.promise_due)
