"""What the mail tells others of itself, and what its sweeper does for them."""

from datetime import timedelta

from django.utils import timezone

from jointoit.api import health, pruning
from jointoit.mail import sweeper
from jointoit.mail.status import probe

sweeper.register(sweeper.retire)
sweeper.register(sweeper.scrub, every=timedelta(hours=1))
sweeper.register(pruning.prune, every=timedelta(minutes=10))
health.register("mail", lambda: probe(now=timezone.now()))
