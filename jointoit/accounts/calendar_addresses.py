"""The address under which somebody's calendar program reads their registrations, without a log-in."""

import hashlib
import secrets
from datetime import datetime

from django.conf import settings
from django.db import transaction

from jointoit.accounts.models import CalendarAddress, User
from jointoit.accounts.tokens import DeadToken
from jointoit.api import security_log
from jointoit.errors import NotFound

SECRET = 24  # bytes


def make(*, user: User, now: datetime) -> tuple[str, bool]:
    """Give the account an address, and say whether it had none; one that it had ends. Raises DeadToken."""
    secret = secrets.token_urlsafe(SECRET)
    with transaction.atomic():
        held = User.objects.lock(user.pk).filter(is_active=True, token_epoch=user.token_epoch).first()
        if held is None:
            raise DeadToken
        new = {"digest": digest(secret), "made_at": now}
        _, is_first = CalendarAddress.objects.update_or_create(user=held, defaults=new)
    security_log.note("calendar_address", "ok", user_id=user.pk)
    return f"{settings.PUBLIC_URL}/calendar/{secret}.ics", is_first


def holder_of(secret: str) -> User:
    """Whose calendar an address shows. Raises NotFound."""
    found = CalendarAddress.objects.select_related("user").filter(digest=digest(secret), user__is_active=True).first()
    if found is None:
        raise NotFound
    return found.user


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()
