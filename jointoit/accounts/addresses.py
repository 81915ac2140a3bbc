"""Which address an account has, how its owner shows that mail sent there is read, and how a change is stopped.

An access token alone does not move an account: besides the new address, which confirms, either the password that came
with the request or a link in the mail to the old address agrees. The old address is told when the change is asked for
and when it is done; whoever reads mail there may stop it, and take it back for some days.
"""

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final, NoReturn

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models.functions import Now

from jointoit.accounts import notifications
from jointoit.accounts.models import FormerAddress, User
from jointoit.accounts.uniqueness import EmailTaken, UsernameTaken, refusals_named
from jointoit.api import security_log
from jointoit.errors import Conflict
from jointoit.mail import links, outbox
from jointoit.mail.messages import ConfirmEmail, EmailChangeAsked, EmailChanged, PasswordReset, UsernameChanged

#: How long a change may be taken back after it was made, and nobody else gets the address that was left.
STOP_FOR: Final = timedelta(days=7)


class AddressTakenMeanwhile(Conflict):
    code = "email_taken"
    message = "Another account has taken this e-mail since you asked for it."
    remedy = (
        "Sign in with the account that has the address, or choose another one. `POST /users/password-reset/` leads "
        "into an account whose password is forgotten."
    )


def is_same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def digest(address: str) -> str:
    return sha256(address.casefold().encode()).hexdigest()[:16]


def ask_for(user: User, address: str, *, agreed: bool, now: datetime) -> None:
    """Note the address that `user`, whose row is held, wants from now on, send it a link and tell the old one.

    `agreed`: the password came with it; else the old address has to agree too. The caller saves. The address of now
    withdraws a wish made before. Raises EmailTaken.
    """
    if is_same(address, user.email):
        user.want_email("")
        return
    if User.objects.filter(email__iexact=address).exists():
        raise EmailTaken(field="email")
    refuse_reserved(address, user=user)
    user.want_email(address, agreed=agreed)
    security_log.note("email_change_asked", "ok", user_id=user.pk, with_password=agreed)
    send_links(user, now=now)


def refuse_reserved(address: str, *, user: User) -> None:
    """Raise EmailTaken for an address that somebody else has left a short time ago, and may take back."""
    if FormerAddress.objects.filter(address__iexact=address, until__gt=Now()).exclude(user=user.pk).exists():
        raise EmailTaken(field="email")


def remind(*, user: User, now: datetime) -> None:
    """Send again what still waits for a confirmation, if anything does."""
    with transaction.atomic():
        if user.pending_email:
            send_links(user, now=now)
        elif not user.email_verified:
            ask_to_confirm(user, user.email, now=now)


def send_links(user: User, *, now: datetime) -> None:
    """To the new address one to confirm it; to the old one the news, with one to agree where that is still needed."""
    wanted = digest(user.pending_email)
    notifications.notify(
        EmailChangeAsked, user, fact=f"{wanted}:{notifications.window(now)}", can_stop=user.email_verified,
        new_address_masked=masked(user.pending_email), agree="" if user.pending_agreed else wanted,
    )  # fmt: skip
    ask_to_confirm(user, user.pending_email, now=now)


def ask_to_confirm(user: User, address: str, *, now: datetime) -> None:
    notifications.notify(ConfirmEmail, user, to=address, fact=f"{digest(address)}:{notifications.window(now)}")


def verify(*, token: str) -> None:
    """Believe that the owner reads mail at the address that `token` was sent to; asking twice is asking once.

    An address that waited takes the place of the old one, once that or the password has agreed: the old one is told,
    and every token ends. Raises links.BadToken; AddressTakenMeanwhile.
    """
    claims = links.read("verify_email", token)
    with transaction.atomic():
        user = held(claims)
        if is_same(user.email, claims.address):
            user.email_verified = True
            user.save(update_fields=["email_verified"])
        elif is_same(user.pending_email, claims.address) and user.token_epoch == claims.token_epoch:
            user.pending_confirmed = True
            move_if_ready(user)
        else:
            refuse()


def agree(*, token: str) -> None:
    """Let the old address agree to the new one; asking twice is asking once.

    Raises links.BadToken; AddressTakenMeanwhile.
    """
    claims = links.read("agree_email", token)
    with transaction.atomic():
        user = held(claims)
        if digest(user.email) == claims.address:
            return
        if digest(user.pending_email) != claims.address or user.token_epoch != claims.token_epoch:
            refuse()
        user.pending_agreed = True
        move_if_ready(user)


def stop(*, token: str) -> None:
    """Take back a new username or address, asked for or made, and end tokens, sessions and keys.

    Whoever got as far as the password or a confirmed address loses the password too, and the owner gets a link to
    choose another. Raises links.BadToken.
    """
    claims = links.read("stop_change", token)
    with transaction.atomic():
        user = held(claims)
        if "@" not in claims.address:  # no username has one
            take_back_username(user, claims.address)
        elif is_same(user.email, claims.address):
            end(user, with_password=user.pending_agreed)
        else:
            take_back_address(user, claims.address)


def move_if_ready(user: User) -> None:
    if user.pending_agreed and user.pending_confirmed:
        move(user)
    else:
        user.save(update_fields=["pending_agreed", "pending_confirmed"])


def named(token: str) -> tuple[str, str] | None:
    """The account that a link to confirm an address is for, and a token to say that it is not the reader's."""
    try:
        claims = links.read("verify_email", token)
    except links.BadToken:
        return None
    username = User.objects.filter(pk=claims.user_id, is_active=True).values_list("username", flat=True).first()
    return (username, links.mint_not_me(claims.address)) if username else None


def look(*, token: str) -> None:
    """Raise links.BadToken for what `verify` refuses by the token alone: one that is used, too old or of no account."""
    claims = links.read("verify_email", token)
    user = User.objects.filter(pk=claims.user_id, is_active=True).first()
    waits = user and is_same(user.pending_email, claims.address) and user.token_epoch == claims.token_epoch
    if user is None or not (waits or is_same(user.email, claims.address)):
        raise links.BadToken(field="token")


def move(user: User) -> None:
    old, was_verified = user.email, user.email_verified
    user.email, user.email_verified = user.pending_email, True
    try:
        with refusals_named():
            user.end_access(keys=False).save(update_fields=["email", "email_verified", *User.ENDED])
    except EmailTaken:
        raise AddressTakenMeanwhile from None
    if was_verified:
        user.former_addresses.create(address=old, until=Now() + STOP_FOR)
    tell_left(user, old, can_stop=was_verified)


def tell_left(user: User, old: str, *, can_stop: bool) -> None:
    """Tell the address that an account has left, and forget what else went there, once it has gone out."""
    outbox.forget(old)
    security_log.note("email_change", "ok", user_id=user.pk)
    fact = str(user.token_epoch)
    notifications.notify(
        EmailChanged, user, to=old, fact=fact, new_address_masked=masked(user.email), can_stop=can_stop
    )


def tell_renamed(user: User, old: str, *, can_stop: bool, now: datetime) -> None:
    """Tell the owner of a new username."""
    security_log.note("username_change", "ok", user_id=user.pk)
    notifications.notify(UsernameChanged, user, fact=now.isoformat(), old_username=old, can_stop=can_stop)


def take_back_address(user: User, address: str) -> None:
    left = user.former_addresses.filter(address__iexact=address, until__gt=Now()).order_by("-pk").first()
    if left is None:
        refuse()
    user.former_addresses.filter(pk__gte=left.pk).delete()
    user.email, user.email_verified = left.address, True
    end(user, with_password=True)


def take_back_username(user: User, username: str) -> None:
    """The old name, unless somebody has it by now: logging in by the address works all the same."""
    present, user.username = user.username, username
    try:
        with refusals_named():
            user.save(update_fields=["username"])
    except UsernameTaken:
        user.username = present
    end(user, with_password=False)


def end(user: User, *, with_password: bool) -> None:
    security_log.note("change_taken_back", "ok", user_id=user.pk)
    if with_password:
        user.password = make_password(None)
    user.end_access(keys=True).save(update_fields=["email", "email_verified", "password", *User.ENDED])
    if with_password:
        notifications.notify(PasswordReset, user, fact=f"stopped:{user.token_epoch}")


def held(claims: links.Claims) -> User:
    """The living account of a link, locked. Raises links.BadToken."""
    user = User.objects.lock(claims.user_id).filter(is_active=True).first()
    return user or refuse()


def refuse() -> NoReturn:
    raise links.BadToken(field="token")


def prune(now: datetime) -> int:
    """Forget the addresses that nobody can take back any more; returns how many."""
    deleted, _ = FormerAddress.objects.filter(until__lte=now).delete()
    return deleted


def masked(address: str) -> str:
    """Enough of an address to know one's own by: the first letter and the domain."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}…@{domain}"
