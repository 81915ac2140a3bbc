"""Turns what happened to an account into the promise of a mail; called inside the transaction of the fact."""

from datetime import datetime, timedelta
from typing import Any

from jointoit.accounts.models import User
from jointoit.mail import outbox
from jointoit.mail.messages import AccountMessage, Person

#: Whoever asks for a mail again gets at most one in this time.
REPEAT_AFTER = timedelta(minutes=5)


def notify(kind: type[AccountMessage], user: User, *, fact: str, to: str | None = None, **facts: Any) -> None:
    """Promise one mail about an account to its owner, or to `to` where an address is what it is about."""
    message = kind(to=person(user, to), user_id=user.pk, token_epoch=user.token_epoch, **facts)
    outbox.enqueue(message, key=f"user:{user.pk}:{kind.kind}:{fact}")


def person(user: User, address: str | None = None) -> Person:
    """The owner of an account, or whoever reads mail at another address, in the owner's zone."""
    return Person(address=address or user.email, name=user.get_full_name(), timezone=user.timezone)


def window(now: datetime) -> int:
    """The number of the present stretch of REPEAT_AFTER; in a key, it makes a mail asked for twice one mail."""
    return int(now.timestamp() // REPEAT_AFTER.total_seconds())
