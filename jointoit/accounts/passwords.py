"""Choosing, changing and resetting a password. It counts exactly as it was sent: no trimming, no normalising."""

from datetime import datetime, timedelta
from typing import NoReturn

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac

from jointoit.accounts import notifications
from jointoit.accounts.models import ApiKey, User
from jointoit.errors import Invalid
from jointoit.mail import links, outbox
from jointoit.mail.messages import PasswordChanged, PasswordReset, Person

#: Characters; hashing more would be work for an attacker to give, not strength (OWASP ASVS 5.0, section 6.2).
LONGEST = 1024
RESET_MAIL_OF_USE = timedelta(hours=24)
#: To whom the mail goes that is promised where there is no account; RFC 2606 section 2 keeps the name from existing.
NOBODY = Person(address="nobody@account.invalid", name="nobody", timezone="UTC")


class WeakPassword(Invalid):
    code = "weak_password"
    message = "Choose another password."


class WrongPassword(Invalid):
    code = "wrong_password"
    message = "This is not the password of the account."


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
            to=notifications.person(user) if user else NOBODY,
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
    claims = links.read("reset_password", token)
    user = User.objects.filter(pk=claims.user_id, token_epoch=claims.token_epoch, is_active=True).first()
    if user is None:
        refuse_token()
    refuse_weak(new_password, user=user, field="new_password")
    if not replace(user, new_password, proven_address=claims.address):
        refuse_token()


def refuse_token() -> NoReturn:
    raise links.BadToken(field="token")


def replace(seen: User, new_password: str, *, proven_address: str | None = None) -> bool:
    """Put the new password in place unless tokens ended since `seen` was read; False then. A reset ends keys as well.

    An address that waits for its confirmation is dropped: somebody else may have asked for it.
    """
    encoded = make_password(new_password)
    with transaction.atomic():
        user = User.objects.lock(seen.pk).filter(token_epoch=seen.token_epoch, is_active=True).first()
        if user is None:
            return False
        user.password, user.pending_email = encoded, ""
        user.email_verified = user.email_verified or user.email == proven_address
        user.end_tokens().save(update_fields=["password", "pending_email", "email_verified", "token_epoch"])
        living = ApiKey.objects.filter(user=user).living(Now())
        if proven_address is not None:  # whoever had the account before may have made them
            living.update(revoked_at=Now())
        notifications.notify(PasswordChanged, user, fact=str(user.token_epoch), keys=living.count())
    return True
