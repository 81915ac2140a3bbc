"""What accounts have the sweeper do, and what they hear of: of log-ins `admin_sessions` does."""

from datetime import timedelta

from jointoit.accounts import addresses, admin_sessions, login_throttle, single_use, strangers, tokens
from jointoit.accounts import passwords as passwords  # hears of passwords that others write
from jointoit.process import periodic

for prune in (tokens.prune, addresses.prune, login_throttle.prune, single_use.prune, admin_sessions.prune):
    periodic.register(prune, every=timedelta(hours=1))
periodic.register(strangers.release_verified)
