"""Who takes a step, and how they came."""

from dataclasses import dataclass
from typing import Any

from jointoit.accounts.models import ApiKey, User
from jointoit.errors import Forbidden


class ScopeMissing(Forbidden):
    """The key is good, but not for this: make one with the scope that the document names for the call.

    Calls for which the document names none are for people who log in.
    """

    code = "scope_missing"
    message = "This key is not for this call, or not for this event."
    remedy = "Make a key with the scope that the document names for the call, or sign in where it names none."


@dataclass(frozen=True)
class DoorKeeper:
    """Who comes with a door pass: nobody with an account, good for the door of one event."""

    pass_id: int
    event_id: int

    is_authenticated = True
    is_active = True

    @property
    def pk(self) -> str:
        """Among the ids of accounts, where callers are counted and told apart."""
        return f"pass-{self.pass_id}"


@dataclass(frozen=True)
class Caller:
    """An account, perhaps through one of its keys, or as staff in the admin; a door pass, nobody, or the service."""

    user: User | None = None
    key: ApiKey | None = None
    as_staff: bool = False
    is_service: bool = False
    door: DoorKeeper | None = None

    def reaches(self, event_id: int) -> bool:
        """Whether the key or the pass, if there is one, is good for an event."""
        if self.door:
            return self.door.event_id == event_id
        return self.key is None or self.key.events is None or event_id in self.key.events

    @property
    def is_for_some_events(self) -> bool:
        """Whether there is a key that is good for the events that it names and for none that come later."""
        return self.key is not None and self.key.events is not None

    @property
    def values(self) -> dict[str, Any]:
        """For statements: who reads, 0 for nobody, and the events that their key is good for, if it is not for all."""
        return {"reader": (self.user and self.user.pk) or 0, "only": self.key.events if self.key else None}

    def is_user(self, user_id: int) -> bool:
        return self.user is not None and self.user.pk == user_id


#: What the service does by itself, and what is done at its command line.
SERVICE = Caller(is_service=True)
