"""Choosing, changing and resetting a password. It counts exactly as it was sent: no trimming, no normalising."""

from datetime import datetime, timedelta
from typing import NoReturn

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models.functions import Now
from django.dispatch import receiver
from django.utils.crypto import salted_hmac

from jointoit.accounts import notifications
from jointoit.accounts.models import ApiKey, User
from jointoit.accounts.signals import password_was_written
from jointoit.api import security_log
from jointoit.errors import Invalid
from jointoit.mail import links, outbox
from jointoit.mail.messages import PasswordChanged, PasswordReset

#: Characters; hashing more would be work for an attacker to give, not strength (OWASP ASVS 5.0, section 6.2).
LONGEST = 1024
RESET_MAIL_OF_USE = timedelta(hours=24)


class WeakPassword(Invalid):
    code = "weak_password"
    message = "Choose another password."
    remedy = (
        "Choose a longer one: several words that have nothing to do with you or this service. `errors` says what is "
        "wrong."
    )
    shown_field = "password"


class WrongPassword(Invalid):
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


def confirm(password: str, *, user: User, field: str) -> None:
    """Make sure that it is the owner who asks. Raises WrongPassword."""
    if not user.check_password(password):
        security_log.note("password_check", "failed", user_id=user.pk)
        raise WrongPassword(field=field)


def change(*, user: User, current_password: str, new_password: str) -> None:
    """Replace the password, end every token and tell the owner.

    Raises WrongPassword; WeakPassword.
    """
    confirm(current_password, user=user, field="current_password")
    refuse_weak(new_password, user=user, field="new_password")
    if not replace(user, new_password):
        raise WrongPassword(field="current_password")


@transaction.atomic
def ask_for_reset(*, email: str, now: datetime) -> None:
    """Promise a mail with a reset link, if an active account has this address.

    Nobody may learn from the answer, nor from the time it takes, whether there is one: without an account the same
    work is done for a mail that has expired before it is written, so that it is never sent.
    """
    user = User.objects.filter(email__iexact=email, is_active=True).first()
    asked = salted_hmac(__name__, email.casefold(), algorithm="sha256").hexdigest()
    outbox.enqueue(
        PasswordReset(
            to=notifications.person_of(user),
            user_id=user.pk if user else 0,
            token_epoch=user.token_epoch if user else 0,
        ),
        key=f"password_reset:{asked}:{notifications.window(now)}",
        expires_at=now + RESET_MAIL_OF_USE if user else now,
    )


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
