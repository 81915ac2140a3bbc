"""What stands in for the password of an account that has none: a token that is mailed to its verified address."""

from datetime import datetime

from django.db import transaction

from jointoit.accounts import notifications, single_use
from jointoit.accounts.models import User
from jointoit.errors import Conflict
from jointoit.mail import links
from jointoit.mail.messages import PasswordProof

LIFETIME = links.LIFETIME["prove"]


class NoProof(Conflict):
    """Send the password where there is one; else open the link in the mail that confirms the address first."""

    code = "no_proof"
    message = "A proof is for an account without a password, and goes to its confirmed e-mail."
    remedy = "Send the password where there is one; else open the link in the mail that confirms the address first."


@transaction.atomic
def ask(*, user: User, now: datetime) -> None:
    """Promise the mail with a proof; whoever asks again gets at most one in five minutes. Raises NoProof."""
    if user.has_usable_password() or not user.email_verified:
        raise NoProof
    notifications.notify(PasswordProof, user, fact=f"{user.token_epoch}:{notifications.window(now)}")


def check(proof: str, *, user: User) -> None:
    """Make sure that the proof is the account's, which has no password, and was not used. Raises links.BadToken."""
    try:
        claims = links.read("prove", proof)
        single_use.refuse_spent(proof)
    except links.BadToken:
        raise links.BadToken(field="proof") from None
    is_theirs = (claims.user_id, claims.token_epoch) == (user.pk, user.token_epoch)
    if not is_theirs or claims.address != user.email or user.has_usable_password():
        raise links.BadToken(field="proof")


def spend(proof: str | None, *, now: datetime) -> None:
    """Use a proof up, where one was given, in the transaction of what it is for. Raises links.BadToken."""
    if proof is None:
        return
    try:
        single_use.spend(proof, lifetime=LIFETIME, now=now)
    except links.BadToken:
        raise links.BadToken(field="proof") from None
