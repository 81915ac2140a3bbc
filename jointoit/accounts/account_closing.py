"""How an account ends: shut by an administrator, or closed for good by its owner."""

from collections.abc import Callable, Iterable
from datetime import datetime

from django.contrib.admin.models import LogEntry
from django.contrib.auth.hashers import make_password
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from jointoit.accounts import passwords, superusers
from jointoit.accounts.models import ERASED, ApiKey, RefreshToken, User
from jointoit.accounts.signals import account_is_closing
from jointoit.api import security_log
from jointoit.api.models import IdempotencyKey
from jointoit.mail import outbox, stops
from jointoit.mail.models import OutboxMail


def deactivate(*, user_ids: Iterable[int]) -> int:
    """Shut accounts, which nothing is taken from but their tokens; returns how many were open. Raises LastSuperuser."""
    user_ids = [*user_ids]
    with transaction.atomic():
        superusers.keep_one(without=user_ids)
        shut = User.objects.filter(pk__in=user_ids, is_active=True)
        pks = list(shut.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
        security_log.note("account_shut", "ok", accounts=pks)
        RefreshToken.objects.filter(user__in=pks).delete()
        ApiKey.objects.filter(user__in=pks, revoked_at=None).update(revoked_at=Now())
        return User.objects.filter(pk__in=pks).update(
            is_active=False, token_epoch=F("token_epoch") + 1, pending_email="", pending_agreed=False
        )


def end_access(*, user_ids: Iterable[int], keys: bool = True) -> int:
    """End tokens, sessions, links and, with `keys`, keys of accounts, which stay as they are; returns of how many."""
    with transaction.atomic():
        users = User.objects.filter(pk__in=[*user_ids]).order_by("pk")
        held = list(users.select_for_update(no_key=True, of=("self",)))
        for user in held:
            user.end_access(keys=keys).save(update_fields=User.ENDED)
            security_log.note("sessions_ended", "ok", user_id=user.pk)
    return len(held)


def close(
    *,
    user: User,
    now: datetime,
    password: str | None = None,
    proof: str | None = None,
    precondition: Callable[[User], None] | None = None,
) -> None:
    """Give back all that the person holds, then erase who the person is; the row stays for what others refer to.

    Raises WrongPassword, links.BadToken, LastSuperuser, and what `precondition` raises when it is given the row as it
    is once held.
    """
    passwords.confirm(password, user=user, field="password", proof=proof)
    with transaction.atomic():
        if user.is_superuser:
            superusers.keep_one(without=[user.pk])
        held = User.objects.lock(user.pk).filter(is_active=True).first()
        if held is None:  # closed by a parallel request
            return
        if precondition:
            precondition(held)
        account_is_closing.send(sender=User, user=held, now=now)
        for address in (held.email, *held.former_addresses.values_list("address", flat=True)):
            forget_mail(address)
            if address != held.email or held.email_verified:  # else a stranger may have wished to get no mail there
                stops.forget(address)
        # To whatever address, which may be another account's by now; one that was left is forgotten when it is left.
        outbox.forget_about(f"user:{held.pk}:", withdraw=True)
        forget_log(held)
        for kept in (held.keys, held.former_addresses, held.login_places):
            kept.all().delete()
        IdempotencyKey.objects.filter(caller=held.pk).delete()  # the answers kept there speak of the person
        erase(held)
        security_log.note("account_closed", "ok", user_id=held.pk)


def forget_mail(address: str) -> None:
    """Send nothing more to an address, and forget what was sent there."""
    waiting = OutboxMail.objects.filter(recipient=address, state=OutboxMail.State.PENDING)
    waiting.update(state=OutboxMail.State.SUPERSEDED, settled_at=Now())
    outbox.forget(address)


def forget_log(user: User) -> None:
    """What the admin's log says was done to an account names it."""
    entries = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(User), object_id=str(user.pk))
    entries.update(object_repr=f"{ERASED}{user.pk}", change_message="")


def erase(user: User) -> None:
    """Leave nothing that tells who it was, and nothing to come back with."""
    user.username = f"{ERASED}{user.pk}"  # no living address may have such a domain
    user.email = f"deleted-{user.pk}@invalid"
    user.first_name = user.last_name = ""
    user.timezone, user.password, user.last_login = "UTC", make_password(None), None
    user.is_active = user.is_staff = user.is_superuser = user.email_verified = False
    user.end_access(keys=True).save()
    user.groups.clear()
    user.user_permissions.clear()
