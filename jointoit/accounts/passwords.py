"""Choosing, changing and resetting a password. It counts exactly as it was sent: no trimming, no normalising."""

from datetime import datetime
from typing import NoReturn

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models.functions import Now
from django.dispatch import receiver

from jointoit.accounts import notifications, proofs
from jointoit.accounts.models import ApiKey, User
from jointoit.accounts.signals import password_was_written
from jointoit.api import security_log
from jointoit.errors import Invalid
from jointoit.mail import links
from jointoit.mail.messages import PasswordChanged, PasswordReset

#: Characters; hashing more would be work for an attacker to give, not strength (OWASP ASVS 5.0, section 6.2).
LONGEST = 1024


class WeakPassword(Invalid):
    code = "weak_password"
    message = "Choose another password."
    remedy = (
        "Choose a longer one: several words that have nothing to do with you or this service. `errors` says what is "
        "wrong."
    )
    shown_field = "password"


class WrongPassword(Invalid):
    """An account that a link in a mail opened has none; `POST /users/me/proof/` mails what stands in for it."""

    code = "wrong_password"
    message = "This is not the password of the account."
    remedy = "Send the password that the account has now; `POST /users/password-reset/` leads to a new one."
    shown_field = "password"


def refuse_weak(password: str, *, user: User, field: str) -> None:
    """Raise WeakPassword, with every reason, for one that is too easy to guess for this person."""
    if not password.strip():
        raise WeakPassword("A password needs characters other than spaces.", field=field)
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise WeakPassword(" ".join(error.messages), field=field) from None


def confirm(password: str | None, *, user: User, field: str, proof: str | None = None) -> None:
    """Make sure that it is the owner who asks: by the password or, where there is none, by a proof.

    Whoever goes on then spends the proof. Raises WrongPassword; links.BadToken.
    """
    if proof is not None:
        proofs.check(proof, user=user)
    elif not user.check_password(password):
        security_log.note("password_check", "failed", user_id=user.pk)
        raise WrongPassword(field=field)


def change(*, user: User, new_password: str, current_password: str | None = None, proof: str | None = None) -> None:
    """Replace the password, or set the first one with a proof, end every token, the proof too, and tell the owner.

    Raises WrongPassword; links.BadToken; WeakPassword.
    """
    confirm(current_password, user=user, field="current_password", proof=proof)
    refuse_weak(new_password, user=user, field="new_password")
    if not replace(user, new_password):
        raise WrongPassword(field="current_password")


def ask_for_reset(*, email: str, now: datetime) -> None:
    """Promise a mail with a reset link, if an active account has this address; nobody learns whether one has."""
    notifications.answer(PasswordReset, email=email, now=now)


def reset(*, token: str, new_password: str) -> None:
    """Set the password with the token of a reset mail, which works once: the epoch it names ends here.

    Having read the mail also shows whose address it is. Raises links.BadToken; WeakPassword.
    """
    claims, user = links.read("reset_password", token), holder_of(token=token)
    refuse_weak(new_password, user=user, field="new_password")
    if not replace(user, new_password, proven_address=claims.address):
        refuse_token()


def holder_of(*, token: str) -> User:
    """Whose password a reset token sets. Raises links.BadToken for one that was used or is too old."""
    claims = links.read("reset_password", token)
    user = User.objects.filter(pk=claims.user_id, token_epoch=claims.token_epoch, is_active=True).first()
    return user or refuse_token()


def refuse_token() -> NoReturn:
    raise links.BadToken(field="token")


def replace(seen: User, new_password: str, *, proven_address: str | None = None) -> bool:
    """Put the new password in place unless tokens ended since `seen` was read; False then.

    A reset ends keys as well.
    """
    encoded = make_password(new_password)
    with transaction.atomic():
        user = User.objects.lock(seen.pk).filter(token_epoch=seen.token_epoch, is_active=True).first()
        if user is None:
            return False
        user.password = encoded
        user.email_verified = user.email_verified or user.email == proven_address
        # Whoever had the account before a reset may have made the keys; a change is by who knows the old password.
        user.end_access(keys=proven_address is not None)
        user.save(update_fields=["password", "email_verified", *User.ENDED])
        living = ApiKey.objects.filter(user=user).living(Now())
        notifications.notify(PasswordChanged, user, fact=str(user.token_epoch), keys=living.count())
        security_log.note("password_reset" if proven_address else "password_change", "ok", user_id=user.pk)
    return True


@receiver(password_was_written)
def tell_of_written_password(user: User, **_: object) -> None:
    """Tell the owner of a password that staff or somebody at the command line has set."""
    notifications.notify(PasswordChanged, user, fact=str(user.token_epoch))
    security_log.note("password_written", "ok", user_id=user.pk)
