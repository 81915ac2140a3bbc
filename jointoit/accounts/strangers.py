"""What whoever reads mail at an address can say of it: that an account is not theirs, or that they want no mail."""

from datetime import datetime

from django.contrib.auth.hashers import make_password
from django.db import transaction

from jointoit.accounts import account_closing
from jointoit.accounts.models import User
from jointoit.accounts.signals import account_was_taken_over
from jointoit.errors import Conflict
from jointoit.mail import links, stops, unverified
from jointoit.mail.models import MailStop


class AddressVerified(Conflict):
    code = "address_verified"
    message = "This address has been confirmed for the account since. Sign in and change or close it there."
    remedy = "Sign in with the address, by a new password if need be, and change or close the account there."


def not_me(*, token: str) -> None:
    """Shut the account that was opened with the address of the token, and write there no more; twice is once.

    An account that only asked for the address keeps its own and asks no more. Staff may open the account again.
    Raises links.BadToken; AddressVerified.
    """
    address = links.stranger_of(token)
    with transaction.atomic():
        owner = User.objects.filter(email__iexact=address).select_for_update(no_key=True, of=("self",)).first()
        if owner and owner.email_verified:
            raise AddressVerified
        if owner:
            account_closing.deactivate(user_ids=[owner.pk])
        User.objects.filter(pending_email__iexact=address).update(pending_email="")
        stops.stop(address=address, topic=MailStop.ALL)


def take_over(*, user_id: int) -> bool:
    """Let whoever has shown to read mail at the account's address have it, without being signed in to it.

    Where nobody had shown that before, somebody else may have opened the account: the password, sessions, keys, links,
    roles of others and webhooks from before end, and True says that the owner needs a new password.
    """
    with transaction.atomic():
        user = User.objects.lock(user_id).filter(is_active=True, email_verified=False).first()
        if user is None:
            return False
        user.password, user.email_verified = make_password(None), True
        user.end_access(keys=True).save(update_fields=["password", "email_verified", *User.ENDED])
        account_was_taken_over.send(sender=User, user=user)
    return True


def stop_mail(*, token: str) -> None:
    """Send no more mails of the topic of the token; twice is once. Raises links.BadToken."""
    address, topic = links.stop_of(token)
    with transaction.atomic():
        stops.stop(address=address, topic=topic)


def release_verified(now: datetime) -> None:
    """Send what waited for addresses that are verified now; a chore of the periodic process."""
    if held := unverified.held_addresses():
        unverified.release(User.objects.filter(email__in=held, email_verified=True).values_list("email", flat=True))
