"""Turns what happened to an account into the promise of a mail; called inside the transaction of the fact."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.dispatch import receiver
from django.utils.crypto import salted_hmac

from jointoit.accounts.models import User
from jointoit.accounts.signals import refresh_token_was_reused
from jointoit.mail import outbox
from jointoit.mail.messages import AccountMessage, Person, SessionEnded

#: Whoever asks for a mail again gets at most one in this time.
REPEAT_AFTER = timedelta(minutes=5)
#: A mail that somebody asked for by an address is not sent any more after this.
ANSWER_OF_USE = timedelta(hours=24)
#: To whom the mail goes that is promised where there is no account; RFC 2606 section 2 keeps the name from existing.
NOBODY = Person(address="nobody@account.invalid", name="nobody", timezone="UTC")


def notify(kind: type[AccountMessage], user: User, *, fact: str, to: str | None = None, **facts: Any) -> None:
    """Promise one mail about an account to its owner, or to `to` where an address is what it is about."""
    message = kind(to=person(user, to), user_id=user.pk, token_epoch=user.token_epoch, **facts)
    outbox.enqueue(message, key=f"user:{user.pk}:{kind.kind}:{fact}")


def person(user: User, address: str | None = None) -> Person:
    """The owner, or whoever reads mail at another address, of whom nobody knows who that is."""
    return Person(
        address=address or user.email,
        name=user.get_full_name(),
        timezone=user.timezone,
        verified=user.email_verified and address in (None, user.email),
    )


def person_at(address: str, *, timezone: str, name: str = "") -> Person:
    """Whoever reads mail at an address that somebody typed: verified where an account has shown that it is its own."""
    verified = User.objects.filter(email__iexact=address, email_verified=True).exists()
    return Person(address=address, name=name, timezone=timezone, verified=verified)


def tell_once_a_day(kind: type[AccountMessage], user: User | None, *, about: str, now: datetime) -> None:
    """Promise a mail to the owner of an account unless one went out that day; `about` names it in the key.

    Where there is no such account, the same work is done for a mail that is never sent: nobody may learn the difference
    from the time it takes.
    """
    message = kind(to=person_of(user), user_id=user.pk if user else 0, token_epoch=user.token_epoch if user else 0)
    key = f"user:{user.pk if user else 0}:{kind.kind}:{about}:{now:%Y-%m-%d}"
    with transaction.atomic():
        outbox.enqueue(message, key=key, expires_at=now + timedelta(days=1) if user and user.is_active else now)


@transaction.atomic
def answer(kind: type[AccountMessage], *, email: str, now: datetime) -> None:
    """Promise a mail to whoever asked for it by an address, if an active account has that.

    Nobody may learn from the answer, nor from the time it takes, whether there is one: without an account the same
    work is done for a mail that has expired before it is written, so that it is never sent.
    """
    user = User.objects.filter(email__iexact=email, is_active=True).first()
    asked = salted_hmac(__name__, email.casefold(), algorithm="sha256").hexdigest()
    message = kind(to=person_of(user), user_id=user.pk if user else 0, token_epoch=user.token_epoch if user else 0)
    outbox.enqueue(message, key=f"{kind.kind}:{asked}:{window(now)}", expires_at=now + ANSWER_OF_USE if user else now)


def person_of(user: User | None) -> Person:
    """Whom to write to about an account, active or not; nobody where there is none."""
    if user is None:
        return NOBODY
    return person(user)


@receiver(refresh_token_was_reused)
def tell_of_reuse(user: User, family: str, **_: object) -> None:
    notify(SessionEnded, user, fact=family)


def window(now: datetime) -> int:
    """The number of the present stretch of REPEAT_AFTER; in a key, it makes a mail asked for twice one mail."""
    return int(now.timestamp() // REPEAT_AFTER.total_seconds())
