"""What accounts have the sweeper do."""

from datetime import timedelta

from jointoit.accounts import strangers, tokens
from jointoit.process import periodic

periodic.register(tokens.prune, every=timedelta(hours=1))
periodic.register(strangers.release_verified)
