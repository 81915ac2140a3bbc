"""Keys for programs: good for some calls, perhaps for some events, and for a time.

A key reads `jtk_<id>_<secret><checksum>`: the prefix lets scanners of source code find one that leaked, the checksum
tells a typo from a key without a query. What is kept is the SHA-256 of the secret.
"""

import hashlib
import secrets
import string
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from zlib import crc32

from django.db import transaction
from django.utils.crypto import constant_time_compare

from jointoit.accounts import passwords, proofs
from jointoit.accounts.models import ApiKey, User
from jointoit.accounts.tokens import DeadToken
from jointoit.api import security_log
from jointoit.api.lists.prepared import PreparedQuery, columns_of, instance_of
from jointoit.errors import Conflict, Invalid, NotFound

PREFIX: Final = ApiKey.PREFIX
LETTERS: Final = string.digits + string.ascii_letters
SECRET: Final = 32  # characters, of 62 kinds
CHECKSUM: Final = 6
MOST: Final = 50  # living keys of one account
GOOD_FOR: Final = timedelta(days=90)
LONGEST: Final = timedelta(days=366)
#: How old `last_used_at` may be: a key that is used all the time is not written all the time.
FRESH: Final = timedelta(minutes=1)
#: What each lets a program do, as its owner may.
SCOPES: Final[Mapping[str, str]] = {
    "events:read": "Read events, drafts of the team included.",
    "events:write": "Create, change, publish, cancel events.",
    "attendees:read": "Read registrations, attendees and history.",
    "registrations:write": "Register, approve and cancel registrations.",
    "checkin": "Scan tickets at the door.",
    "webhooks": "Manage webhooks.",
    "feed": "Read the feed of facts.",
}
HOLDER: Final = PreparedQuery(
    f"SELECT {columns_of(ApiKey, 'key', prefix='key__')}, {columns_of(User, 'account', prefix='user__')} "
    "FROM accounts_apikey AS key JOIN accounts_user AS account ON account.id = key.user_id "
    "WHERE key.id = %(pk)s AND key.revoked_at IS NULL AND key.expires_at > %(now)s AND account.is_active"
)


class BadExpiry(Invalid):
    code = "out_of_range"
    message = "A key ends in the future, and within 366 days."
    remedy = "Choose a time within the next 366 days, or leave `expires_at` out."
    shown_field = "expires_at"


class CannotWiden(Invalid):
    code = "cannot_widen"
    message = "A key is only narrowed; make another one for more."
    remedy = "Make another key with what is wanted, and end this one."
    shown_field = "scopes"


class TooManyKeys(Conflict):
    code = "too_many_keys"
    message = f"An account has at most {MOST} keys; end one first."
    remedy = "End a key that nobody uses, by `DELETE /users/me/keys/{id}/`, and ask again."


def create(
    *,
    user: User,
    name: str,
    scopes: Collection[str],
    now: datetime,
    password: str | None = None,
    proof: str | None = None,
    events: Collection[int] | None = None,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Make a key; its text is given this once. Raises WrongPassword, links.BadToken, BadExpiry, TooManyKeys."""
    passwords.confirm(password, user=user, field="password", proof=proof)
    expires_at = expires_at or now + GOOD_FOR
    if not now < expires_at <= now + LONGEST:
        raise BadExpiry(field="expires_at")
    secret = random_secret()
    with transaction.atomic():
        held = User.objects.lock(user.pk).filter(is_active=True, token_epoch=user.token_epoch).first()
        if held is None:
            raise DeadToken
        if ApiKey.objects.filter(user=user).living(now).count() >= MOST:
            raise TooManyKeys
        proofs.spend(proof, now=now)
        key = ApiKey.objects.create(
            user=held, name=name, digest=digest(secret), scopes=sorted(set(scopes)), created_at=now,
            events=None if events is None else sorted(set(events)), expires_at=expires_at,
        )  # fmt: skip
    security_log.note("key_made", "ok", user_id=user.pk, key=key.pk, scopes=key.scopes)
    return key, written(key.pk, secret)


def change(*, user: User, key_id: int, values: Mapping[str, Any], now: datetime) -> ApiKey:
    """Rename or narrow a key. Raises NotFound, CannotWiden."""
    with transaction.atomic():
        key = ApiKey.objects.filter(user=user, pk=key_id).living(now).select_for_update(no_key=True).first()
        if key is None:
            raise NotFound
        if "scopes" in values and not set(values["scopes"]) <= set(key.scopes):
            raise CannotWiden(field="scopes")
        if "events" in values and key.events is not None and not within(values["events"], key.events):
            raise CannotWiden(field="events")
        if "expires_at" in values and not now < values["expires_at"] <= key.expires_at:
            raise CannotWiden(field="expires_at")
        for name, value in values.items():
            setattr(key, name, value)
        key.save(update_fields=list(values))
    return key


def within(wanted: Collection[int] | None, present: Collection[int]) -> bool:
    return wanted is not None and set(wanted) <= set(present)


def revoke(*, user: User, key_id: int, now: datetime) -> None:
    """End a key at once. Raises NotFound."""
    if not ApiKey.objects.filter(user=user).living(now).filter(pk=key_id).update(revoked_at=now):
        raise NotFound
    security_log.note("key_ended", "ok", user_id=user.pk, key=key_id)


def authenticate(text: str, *, now: datetime) -> tuple[User, ApiKey]:
    """Whose key this is, with one query, and none for what is written as no key. Raises DeadToken, for any reason."""
    pk, secret = read(text)
    row = HOLDER.row({"pk": pk, "now": now})
    if row is None or not constant_time_compare(row["key__digest"], digest(secret)):
        raise DeadToken
    key, user = instance_of(ApiKey, row, prefix="key__"), instance_of(User, row, prefix="user__")
    if key.last_used_at is None or key.last_used_at < now - FRESH:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
    return user, key


# ── The text of a key ─────────────────────────────────────────────────────────────────────────────────────────────────


def random_secret() -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(SECRET))


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def written(pk: int, secret: str, *, prefix: str = PREFIX) -> str:
    text = f"{prefix}_{pk}_{secret}"
    return text + checksum(text)


def read(text: str, *, prefix: str = PREFIX) -> tuple[int, str]:
    """The id and the secret. Raises DeadToken for what is not written as one of ours."""
    body, given = text[:-CHECKSUM], text[-CHECKSUM:]
    parts = body.split("_")
    if not body.isascii() or given != checksum(body) or len(parts) != 3:
        raise DeadToken
    kind, pk, secret = parts
    if kind != prefix or not pk.isdecimal() or len(pk) > 18 or len(secret) != SECRET:
        raise DeadToken
    return int(pk), secret


def checksum(text: str) -> str:
    """CRC-32 in base 62: of a typo it lets through one in four thousand million."""
    number, found = crc32(text.encode(errors="surrogatepass")), ""
    for _ in range(CHECKSUM):
        number, place = divmod(number, len(LETTERS))
        found += LETTERS[place]
    return found
