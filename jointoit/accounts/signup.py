"""How an account begins."""

from datetime import datetime
from typing import Final

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.utils.crypto import get_random_string

from jointoit.accounts import addresses, names, notifications, passwords
from jointoit.accounts.models import User
from jointoit.accounts.uniqueness import EmailTaken, UsernameTaken, refusals_named
from jointoit.errors import ManyInvalid
from jointoit.mail.messages import Welcome

ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"


def sign_up(
    *,
    username: str,
    email: str,
    password: str,
    first_name: str = "",
    last_name: str = "",
    timezone: str = "UTC",
    now: datetime,
) -> User:
    """Open an account, which works at once, and promise the mail that asks to confirm its address.

    Of two people who ask for one name or address at the same moment, one gets it.
    Raises LinkInName, WeakPassword, UsernameTaken, EmailTaken; ManyInvalid where both are taken.
    """
    user = User(
        username=User.normalize_username(username),
        email=email,
        first_name=first_name,
        last_name=last_name,
        timezone=timezone,
        date_joined=now,
    )
    names.refuse_links(user, username=user.username, first_name=first_name, last_name=last_name)
    passwords.refuse_weak(password, user=user, field="password")
    user.password = make_password(password)
    with transaction.atomic():
        try:
            with refusals_named():
                user.save(force_insert=True)
        except UsernameTaken as taken:  # the index that is looked at first
            if User.objects.filter(email__iexact=email).exists():
                raise ManyInvalid([taken, EmailTaken(field="email")]) from None
            raise
        # Only now: whoever left the address at the same moment has committed, or the insert would have been refused.
        addresses.refuse_reserved(email, user=user)
        notifications.notify(Welcome, user, fact="joined")
    return user


def guest(email: str, *, first_name: str, last_name: str, timezone: str = "UTC") -> User:
    """The account with this address, or a new one without a password: a reset gives it one, or a link lets it in.

    The account is held, so that it is not closed meanwhile.
    """
    known = User.objects.filter(email__iexact=email, is_active=True).order_by("pk").first()
    if known is None:
        try:
            with transaction.atomic():
                known = User.objects.create(
                    username=f"guest-{get_random_string(10, ALPHABET)}", email=email, first_name=first_name,
                    last_name=last_name, timezone=timezone, password=make_password(None),
                )  # fmt: skip
        except IntegrityError:  # somebody was faster with the same address
            known = User.objects.get(email__iexact=email)
    return User.objects.lock(known.pk).get()
