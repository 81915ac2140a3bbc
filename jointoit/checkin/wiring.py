"""What the door tells others of itself: `check_invariants` looks at it, and who is in does not give up the seat."""

from jointoit.checkin import invariants as door
from jointoit.checkin import tickets
from jointoit.events import booking, invariants

invariants.register(door.violations)
booking.REFUSE_GIVING_UP.append(tickets.refuse_admitted)
