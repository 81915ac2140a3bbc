"""What accounts have the sweeper do, and what they hear of."""

from datetime import timedelta

from jointoit.accounts import addresses, login_throttle, single_use, strangers, tokens
from jointoit.accounts import admin_sessions as admin_sessions  # hears of log-ins
from jointoit.accounts import passwords as passwords  # hears of passwords that others write
from jointoit.process import periodic

for prune in (tokens.prune, addresses.prune, login_throttle.prune, single_use.prune):
    periodic.register(prune, every=timedelta(hours=1))
periodic.register(strangers.release_verified)
