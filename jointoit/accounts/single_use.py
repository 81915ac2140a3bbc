"""Tokens from mails that are good once: one that was used leaves its hash behind until it would have died anyway."""

from datetime import datetime, timedelta
from hashlib import sha256

from jointoit.accounts.models import SpentToken
from jointoit.mail.links import BadToken


def digest(token: str) -> str:
    return sha256(token.encode(errors="surrogatepass")).hexdigest()


def refuse_spent(token: str) -> None:
    """Raise BadToken for a token that was used; for pages, which say so before anything is pressed."""
    if SpentToken.objects.filter(digest=digest(token)).exists():
        raise BadToken(field="token")


def spend(token: str, *, lifetime: timedelta, now: datetime) -> None:
    """Use a token up, in the transaction of what it is for; of two who try at once one gets it. Raises BadToken."""
    _, is_first = SpentToken.objects.get_or_create(digest=digest(token), defaults={"until": now + lifetime})
    if not is_first:
        raise BadToken(field="token")


def prune(now: datetime) -> int:
    """Forget the tokens that are too old to be used again; returns how many."""
    deleted, _ = SpentToken.objects.filter(until__lte=now).delete()
    return deleted
