"""What the door tells others of itself: it is one of the things that `check_invariants` looks at."""

from jointoit.checkin import invariants as door
from jointoit.events import invariants

invariants.register(door.violations)
