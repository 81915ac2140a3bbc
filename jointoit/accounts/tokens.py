"""Giving out, exchanging and ending tokens.

A log-in begins a family of refresh tokens. Each one is exchanged once for the next; for a few seconds more the exchange
gives the same next one again, so that two tabs that ask at the same moment both stay signed in. One that comes back
later was stolen, or its successor was, so the family ends (RFC 9700 section 4.14.2). Verbs that change a family hold
the row of its user, which puts them in a line.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, transaction
from django.db.models import Q
from django.utils.crypto import salted_hmac
from rest_framework_simplejwt.exceptions import TokenError

from jointoit.accounts import jwt
from jointoit.accounts.models import RefreshToken, User
from jointoit.accounts.signals import refresh_token_was_reused
from jointoit.api import security_log
from jointoit.api.lists.prepared import PreparedQuery, columns_of, instance_of
from jointoit.errors import NotFound, Unauthenticated

GRACE = timedelta(seconds=10)
#: A used row only shows late reuse together with its family's name, which the token carries; so it may go early.
KEEP_USED = timedelta(days=1)

ACCOUNT = PreparedQuery(
    f"SELECT {columns_of(User, 'account')} FROM accounts_user AS account "
    "WHERE id = %(pk)s AND token_epoch = %(token_epoch)s AND is_active"
)

Kind = TypeVar("Kind", bound=jwt.EpochToken)


class DeadToken(Unauthenticated):
    code = "token_not_valid"
    message = "The token is not valid, or not any more."
    remedy = "Get a new pair at `POST /api/token/refresh/` or, where that fails as well, at `POST /api/token/`."


@dataclass(frozen=True)
class Pair:
    access: str
    refresh: str


def issue(*, user: User, now: datetime, origin: str = "", device: str = "") -> Pair:
    """Begin a family for a person who has shown who they are.

    `origin` is where they came from, as a keyed hash; `device` what their program calls itself.
    """
    begin = RefreshToken(family=uuid4(), user=user, origin=origin, device=named(device), began_at=now)
    token = next_token(begin, user, now=now, jti=None)
    return pair(token, user, now=now)


def named(device: str) -> str:
    """As much of a User-Agent as is kept: one line that can be shown."""
    return "".join(character for character in device if character.isprintable())[:200]


def authenticate(raw: str | bytes) -> tuple[User, jwt.AccessToken]:
    """Whose access token this is, with one query. Raises DeadToken."""
    token = decoded(jwt.AccessToken, raw)
    return load_account(**token.whose()), token


def claims_only(raw: str | bytes) -> tuple[User, jwt.AccessToken]:
    """Whom an access token names, unread: for a verb whose own statement makes sure of account and epoch.

    Raises DeadToken where signature or claims are wrong.
    """
    token = decoded(jwt.AccessToken, raw)
    return User.from_db(DEFAULT_DB_ALIAS, ("id", "token_epoch"), token.whose().values()), token


def load_account(*, pk: int, token_epoch: int) -> User:
    """The living account that a token speaks for. Raises DeadToken."""
    row = ACCOUNT.row({"pk": pk, "token_epoch": token_epoch})
    if row is None:
        raise DeadToken
    return instance_of(User, row)


def refresh(*, raw: str, now: datetime) -> Pair:
    """Exchange a refresh token for the next pair. Raises DeadToken."""
    token = decoded(jwt.RefreshToken, raw)
    with transaction.atomic():
        user = lock_holder(token)
        used = RefreshToken.objects.filter(pk=token["jti"], user=user).first() if user else None
        if user and used and (used.used_at is None or now < used.used_at + GRACE):
            return successor(used, user, now=now)
        if user and end_family(token, user):
            security_log.note("refresh_token_reused", "refused", user_id=user.pk)
            refresh_token_was_reused.send(sender=RefreshToken, user=user, family=token["family"])
    raise DeadToken


def successor(used: RefreshToken, user: User, *, now: datetime) -> Pair:
    """The one token that follows: its id is derived and its times are those of the first exchange."""
    first_use = used.used_at is None
    used.used_at = used.used_at or now
    if first_use:
        used.save(update_fields=["used_at"])
    token = next_token(used, user, now=used.used_at, jti=keyed_hash("successor", used.jti), keep=first_use)
    return pair(token, user, now=now)


def next_token(
    before: RefreshToken, user: User, *, now: datetime, jti: str | None, keep: bool = True
) -> jwt.RefreshToken:
    """The refresh token of a family from `now` on, which ends with the family at the latest; and its row, to `keep`."""
    began = before.began_at or before.expires_at - lifetime()  # of a family from before this was kept
    expires_at = min(now + lifetime(), began + settings.LONGEST_LOGIN)
    token = jwt.RefreshToken.issue(user, now=now, family=before.family.hex)
    token["jti"] = jti or token["jti"]
    token.set_exp(from_time=now, lifetime=expires_at - now)
    if keep:
        RefreshToken.objects.create(
            jti=token["jti"], family=before.family, user=user, origin=before.origin, device=before.device,
            began_at=began, issued_at=now, expires_at=expires_at,
        )  # fmt: skip
    return token


def lifetime() -> timedelta:
    """How long a refresh token is good, if its family does not end before."""
    found: timedelta = settings.SIMPLE_JWT["REFRESH_TOKEN_LIFETIME"]
    return found


def end_session(*, user: User, family: UUID) -> None:
    """End one log-in of somebody's. Raises NotFound."""
    with transaction.atomic():
        User.objects.lock(user.pk).first()
        if not RefreshToken.objects.filter(family=family, user=user).delete()[0]:
            raise NotFound
    security_log.note("session_ended", "ok", user_id=user.pk)


def verify(*, raw: str, now: datetime) -> None:
    """Make sure that a token of either kind would be accepted now. Raises DeadToken."""
    try:
        authenticate(raw)
    except DeadToken:
        token = decoded(jwt.RefreshToken, raw)
        living = Q(used_at=None) | Q(used_at__gt=now - GRACE)
        user = {f"user__{name}": value for name, value in token.whose().items()}
        if not RefreshToken.objects.filter(living, pk=token["jti"], user__is_active=True, **user).exists():
            raise


def revoke(*, raw: str) -> None:
    """End the family of a refresh token: the log-out of one device. Raises DeadToken, also for one already ended."""
    token = decoded(jwt.RefreshToken, raw)
    with transaction.atomic():
        user = lock_holder(token)
        if user is None or not end_family(token, user):
            raise DeadToken


def prune(now: datetime) -> int:
    """Delete the rows that nobody needs any more; returns how many."""
    deleted, _ = RefreshToken.objects.filter(Q(expires_at__lte=now) | Q(used_at__lte=now - KEEP_USED)).delete()
    return deleted


# ── Steps ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def decoded(kind: type[Kind], raw: str | bytes) -> Kind:
    try:
        return kind(raw)  # type: ignore[arg-type]  # simplejwt annotates the encoded token as a Token
    except TokenError:
        raise DeadToken from None


def lock_holder(token: jwt.RefreshToken) -> User | None:
    """The living account that the token speaks for, locked."""
    whose = token.whose()
    return User.objects.lock(whose.pop("pk")).filter(**whose, is_active=True).first()


def end_family(token: jwt.RefreshToken, user: User) -> bool:
    """Delete what is left of the family; False where nothing was."""
    deleted, _ = RefreshToken.objects.filter(family=token["family"], user=user).delete()
    return deleted > 0


def pair(token: jwt.RefreshToken, user: User, *, now: datetime) -> Pair:
    return Pair(access=str(jwt.AccessToken.issue(user, now=now)), refresh=str(token))


def keyed_hash(purpose: str, value: str) -> str:
    """By which `value` is known again but cannot be read."""
    key: Any = settings.SIMPLE_JWT["SIGNING_KEY"]
    return salted_hmac(f"{__name__}.{purpose}", value, secret=key, algorithm="sha256").hexdigest()
