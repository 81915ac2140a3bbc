"""What people say about themselves."""

from collections.abc import Callable, Mapping
from datetime import datetime

from django.db import transaction

from jointoit.accounts import addresses, names
from jointoit.accounts.models import User
from jointoit.accounts.tokens import DeadToken
from jointoit.accounts.uniqueness import refusals_named

NAMES = ("username", "first_name", "last_name")
COLUMNS = ("username", "first_name", "last_name", "timezone", "pending_email")


def update(
    *, user_id: int, values: Mapping[str, str], now: datetime, precondition: Callable[[User], None] | None = None
) -> User:
    """Write the named values; a new `email` only waits until it is confirmed from there.

    Raises LinkInName, UsernameTaken, EmailTaken, DeadToken, and what `precondition` raises when it is given the row as
    it is once held.
    """
    with transaction.atomic():
        user = User.objects.lock(user_id).filter(is_active=True).first()
        if user is None:  # closed since the request was let in
            raise DeadToken
        if precondition:
            precondition(user)
        names.refuse_links(user, **{name: values[name] for name in NAMES if name in values})
        for name in ("first_name", "last_name", "timezone"):
            setattr(user, name, values.get(name, getattr(user, name)))
        user.username = User.normalize_username(values.get("username", user.username))
        if "email" in values:
            addresses.ask_for(user, values["email"], now=now)
        with refusals_named():
            user.save(update_fields=COLUMNS)
    return user
