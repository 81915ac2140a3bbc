"""What people say about themselves, and what staff say of them."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from jointoit.accounts import addresses, names, passwords, proofs, superusers
from jointoit.accounts.models import User
from jointoit.accounts.tokens import DeadToken
from jointoit.accounts.uniqueness import refusals_named

NAMES = ("username", "first_name", "last_name")
COLUMNS = ("username", "first_name", "last_name", "timezone", "pending_email", "pending_agreed", "pending_confirmed")


def update(
    *,
    user: User,
    values: Mapping[str, str],
    now: datetime,
    current_password: str | None = None,
    proof: str | None = None,
    precondition: Callable[[User], None] | None = None,
) -> User:
    """Write the named values; a new `email` only waits until it is confirmed (see `addresses`). A new name is told.

    Raises WrongPassword, links.BadToken, LinkInName, UsernameTaken, EmailTaken, DeadToken, and what `precondition`
    raises when it is given the row as it is once held.
    """
    is_confirmed = current_password is not None or proof is not None
    if is_confirmed:
        passwords.confirm(current_password, user=user, field="current_password", proof=proof)
    with transaction.atomic():
        held = User.objects.lock(user.pk).filter(is_active=True, token_epoch=user.token_epoch).first()
        if held is None:  # closed, or signed out, since the request was let in
            raise DeadToken
        if precondition:
            precondition(held)
        names.refuse_links(held, **{name: values[name] for name in NAMES if name in values})
        for name in ("first_name", "last_name", "timezone"):
            setattr(held, name, values.get(name, getattr(held, name)))
        old = held.username
        held.username = User.normalize_username(values.get("username", old))
        if "email" in values:
            addresses.ask_for(held, values["email"], agreed=is_confirmed, now=now)
        with refusals_named():
            held.save(update_fields=COLUMNS)
        proofs.spend(proof, now=now)
        if held.username != old:
            addresses.tell_renamed(held, old, can_stop=held.email_verified, now=now)
    return held


@transaction.atomic
def update_as_staff(*, user_id: int, values: Mapping[str, Any], by: User, now: datetime) -> User:
    """Write what somebody changed on an account's page in the admin, on top of the row as it is now.

    On their own page a new e-mail only waits, as everywhere. Raises EmailTaken, UsernameTaken, LastSuperuser.
    """
    values, is_own = dict(values), user_id == by.pk
    if not (values.get("is_superuser", True) and values.get("is_active", True)):
        superusers.keep_one(without=[user_id])
    user = User.objects.lock(user_id).get()
    email, name = user.email, user.username
    if is_own and "email" in values:
        addresses.ask_for(user, values.pop("email"), agreed=False, now=now)
    elif "email" in values:
        values.setdefault("email_verified", False)
    for field, value in values.items():
        setattr(user, field, value)
    if user.email != email or "is_active" in values:
        user.end_access(keys=True)
    with refusals_named():
        user.save(update_fields={*values, *User.ENDED})
    if user.email != email:
        addresses.tell_left(user, email, can_stop=False)
    if user.username != name:
        addresses.tell_renamed(user, name, can_stop=is_own and user.email_verified, now=now)
    return user
