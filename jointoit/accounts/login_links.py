"""Logging in by a link in a mail, which also shows that whoever uses it reads mail at the address."""

from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from jointoit.accounts import addresses, notifications, single_use, strangers
from jointoit.accounts.models import User
from jointoit.mail import links
from jointoit.mail.messages import LoginLink


class Entry(NamedTuple):
    """Who gets in, and whether a password that others may know was ended, so that a new one is needed."""

    user: User
    lost_password: bool


def ask(*, email: str, now: datetime) -> None:
    """Promise a mail with a link, if an active account has this address; nobody learns whether one has."""
    notifications.answer(LoginLink, email=email, now=now)


def holder_of(*, token: str) -> User:
    """Whom a link lets in. Raises links.BadToken for one that was used, is too old, or went to a former address."""
    claims = links.read("log_in", token)
    single_use.refuse_spent(token)
    user = User.objects.filter(pk=claims.user_id, token_epoch=claims.token_epoch, is_active=True).first()
    if user is None or not addresses.is_same(user.email, claims.address):
        raise links.BadToken(field="token")
    return user


def use(*, token: str, reader: User | None, now: datetime) -> Entry:
    """Let in whoever read the mail; the link works once. `reader` is who is logged in. Raises links.BadToken."""
    with transaction.atomic():
        user = holder_of(token=token)
        single_use.spend(token, lifetime=links.LIFETIME["log_in"], now=now)
        return let_in(user, reader=reader)


def let_in(user: User, *, reader: User | None) -> Entry:
    """Believe that whoever comes reads mail at the account's address; what others set before ends (`strangers`)."""
    if reader is not None and reader.pk == user.pk:
        User.objects.filter(pk=user.pk).update(email_verified=True)
        return Entry(user, lost_password=False)
    had_password = user.has_usable_password()
    is_taken_over = strangers.take_over(user_id=user.pk)
    return Entry(User.objects.get(pk=user.pk), lost_password=is_taken_over and had_password)
