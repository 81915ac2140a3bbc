"""Which address an account has, and how its owner shows that mail sent there is read."""

from datetime import datetime
from hashlib import sha256

from django.db import transaction

from jointoit.accounts import notifications
from jointoit.accounts.models import User
from jointoit.accounts.uniqueness import EmailTaken, refusals_named
from jointoit.errors import Conflict
from jointoit.mail import links
from jointoit.mail.messages import ConfirmEmail, EmailChanged


class AddressTakenMeanwhile(Conflict):
    code = "email_taken"
    message = "Another account has taken this e-mail since you asked for it."


def is_same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def ask_for(user: User, address: str, *, now: datetime) -> None:
    """Note the address that `user`, whose row is held, wants from now on, and send it a link; the caller saves.

    The address of now withdraws a wish made before. Raises EmailTaken.
    """
    if is_same(address, user.email):
        user.pending_email = ""
        return
    if User.objects.filter(email__iexact=address).exists():
        raise EmailTaken(field="email")
    user.pending_email = address
    ask_to_confirm(user, address, now=now)


def remind(*, user: User, now: datetime) -> None:
    """Send the confirmation link again to the address that still waits for it, if one does."""
    with transaction.atomic():
        if user.pending_email:
            ask_to_confirm(user, user.pending_email, now=now)
        elif not user.email_verified:
            ask_to_confirm(user, user.email, now=now)


def ask_to_confirm(user: User, address: str, *, now: datetime) -> None:
    digest = sha256(address.casefold().encode()).hexdigest()[:16]
    notifications.notify(ConfirmEmail, user, to=address, fact=f"{digest}:{notifications.window(now)}")


def verify(*, token: str) -> None:
    """Believe that the owner reads mail at the address that `token` was sent to; asking twice is asking once.

    An address that waited takes the place of the old one, which is told, and ends every token.
    Raises links.BadToken; AddressTakenMeanwhile.
    """
    claims = links.read("verify_email", token)
    with transaction.atomic():
        user = User.objects.lock(claims.user_id).filter(is_active=True).first()
        if user is None:
            raise links.BadToken(field="token")
        if is_same(user.email, claims.address):
            user.email_verified = True
            user.save(update_fields=["email_verified"])
        elif is_same(user.pending_email, claims.address) and user.token_epoch == claims.token_epoch:
            move(user)
        else:
            raise links.BadToken(field="token")


def look(*, token: str) -> None:
    """Raise links.BadToken for what `verify` refuses by the token alone: one that is used, too old or of no account."""
    claims = links.read("verify_email", token)
    user = User.objects.filter(pk=claims.user_id, is_active=True).first()
    waits = user and is_same(user.pending_email, claims.address) and user.token_epoch == claims.token_epoch
    if user is None or not (waits or is_same(user.email, claims.address)):
        raise links.BadToken(field="token")


def move(user: User) -> None:
    old, user.email, user.pending_email, user.email_verified = user.email, user.pending_email, "", True
    try:
        with refusals_named():
            user.end_tokens().save(update_fields=["email", "pending_email", "email_verified", "token_epoch"])
    except EmailTaken:
        raise AddressTakenMeanwhile from None
    notifications.notify(EmailChanged, user, to=old, fact=str(user.token_epoch), new_address_masked=masked(user.email))


def masked(address: str) -> str:
    """Enough of an address to know one's own by: the first letter and the domain."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}…@{domain}"
