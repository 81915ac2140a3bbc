"""What an owner does with a webhook: make it, change it, give it another secret, end it, ask for a message again."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction

from jointoit.accounts.callers import Caller
from jointoit.accounts.models import User
from jointoit.errors import Conflict, Invalid, NotFound
from jointoit.events.roles import MANAGED
from jointoit.webhooks import addresses, signing
from jointoit.webhooks.models import Message, Webhook
from jointoit.webhooks.policy import GIVE_UP_AFTER, KEEP, OVERLAP

MOST: Final = 10
State = Message.State
WELL: Final[Mapping[str, Any]] = {
    "enabled": True,
    "disabled_reason": "",
    "failures": 0,
    "failing_since": None,
    "warned_at": None,
    "paused_until": None,
}


class TooManyWebhooks(Conflict):
    code = "too_many_webhooks"
    message = f"An account has at most {MOST} webhooks; end one first."
    remedy = "End a webhook that nobody needs, by `DELETE /webhooks/{id}/`, and ask again."


class WebhookDisabled(Conflict):
    code = "webhook_disabled"
    message = "Nothing is sent to a webhook that is disabled."
    remedy = "Enable it first, by PATCH with `enabled`."


class AddressNotAllowed(Invalid):
    """Messages go out by https to public addresses alone."""

    code = "address_not_allowed"
    message = "Nothing is sent to this address."
    remedy = (
        "Give the webhook an https address that the public internet reaches. Who runs the service may trust further "
        "networks (`WEBHOOK_TRUSTED_NETWORKS`)."
    )
    shown_field = "url"


class NotManaged(Invalid):
    code = "not_managed"
    message = "You manage no event with one of these ids, or this key is not for it."
    remedy = "Send ids of events that you manage, as `GET /events/?role=manager` lists them, or null for all."
    shown_field = "events"


def create(*, caller: Caller, values: Mapping[str, Any], now: datetime) -> tuple[Webhook, str]:
    """Make a webhook; its secret is given this once. Raises AddressNotAllowed, NotManaged, TooManyWebhooks."""
    owner, seed = owner_of(caller), signing.new_seed()
    known = cleaned({"events": None, **values}, caller)
    with transaction.atomic():
        list(User.objects.lock(owner.pk))  # one after the other, or there would be eleven
        if Webhook.objects.filter(owner=owner).count() >= MOST:
            raise TooManyWebhooks
        webhook = Webhook.objects.create(owner=owner, seed=seed, created_at=now, **known)
    return webhook, signing.secret_of(seed)


def change(*, caller: Caller, webhook_id: int, values: Mapping[str, Any], now: datetime) -> Webhook:
    """Change what `values` name. Enabled again, it begins without blame. Raises NotFound and what `create` raises."""
    with transaction.atomic():
        webhook = lock(caller, webhook_id)
        wanted = cleaned(values, caller)
        enabled = wanted.pop("enabled", webhook.enabled)
        if enabled != webhook.enabled:
            wanted |= WELL if enabled else {"enabled": False, "disabled_reason": Webhook.DisabledReason.OWNER}
        elif "url" in wanted and wanted["url"] != webhook.url:
            wanted |= {name: value for name, value in WELL.items() if name not in ("enabled", "disabled_reason")}
        for name, value in wanted.items():
            setattr(webhook, name, value)
        if wanted:
            webhook.save(update_fields=list(wanted))
    return webhook


def rotate(*, caller: Caller, webhook_id: int, now: datetime) -> tuple[Webhook, str]:
    """Give it another secret; the one before signs as well for a day. Raises NotFound."""
    with transaction.atomic():
        webhook = lock(caller, webhook_id)
        webhook.previous_seed, webhook.seed = webhook.seed, signing.new_seed()
        webhook.previous_until = now + OVERLAP
        webhook.save(update_fields=["seed", "previous_seed", "previous_until"])
    return webhook, signing.secret_of(webhook.seed)


def delete(*, caller: Caller, webhook_id: int) -> None:
    """Nothing more is sent, and its log is gone. Raises NotFound."""
    with transaction.atomic():
        lock(caller, webhook_id).delete()


def redeliver(*, caller: Caller, webhook_id: int, message_id: UUID, now: datetime) -> Message:
    """Send a message of the last 30 days again, under the same id. Raises NotFound, WebhookDisabled."""
    with transaction.atomic():
        webhook = lock(caller, webhook_id)
        kept = Message.objects.filter(webhook=webhook, message_id=message_id, created_at__gt=now - KEEP)
        message = kept.exclude(state=State.WITHDRAWN).select_for_update(no_key=True).first()
        if message is None or message.fact_id is None:
            raise NotFound
        if not webhook.enabled:
            raise WebhookDisabled
        again = {"state": State.PENDING, "not_before": now, "give_up_at": now + GIVE_UP_AFTER, "settled_at": None}
        for name, value in (again | {"claim": None, "lease_until": None}).items():
            setattr(message, name, value)
        message.save()
        webhook.paused_until = None
        webhook.save(update_fields=["paused_until"])
    return message


# ── Whose, and about what ─────────────────────────────────────────────────────────────────────────────────────────────


def owner_of(caller: Caller) -> User:
    assert caller.user
    return caller.user


def visible(caller: Caller) -> Any:
    """A query of the caller's own; a key for some events sees those that are about no others."""
    mine = Webhook.objects.filter(owner=owner_of(caller))
    only = caller.key.events if caller.key else None
    return mine if only is None else mine.filter(events__contained_by=only)


def lock(caller: Caller, webhook_id: int) -> Webhook:
    webhook: Webhook | None = visible(caller).filter(pk=webhook_id).select_for_update(no_key=True).first()
    if webhook is None:
        raise NotFound
    return webhook


def cleaned(values: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
    """The values as they are kept. Raises AddressNotAllowed, NotManaged."""
    found = dict(values)
    if "url" in found:
        try:
            found["url"] = addresses.read(found["url"]).url
        except addresses.NotAllowed as error:
            raise AddressNotAllowed(str(error), field="url") from None
    if "types" in found:
        found["types"] = sorted(set(found["types"]))
    if "events" in found:
        found["events"] = managed(found["events"], caller)
    return found


def managed(events: list[int] | None, caller: Caller) -> list[int] | None:
    """The same ids, all managed by the caller. A key for some events makes no webhook for all."""
    if events is None:
        if caller.is_for_some_events:
            raise NotManaged(field="events")
        return None
    wanted = sorted(set(events))
    with connection.cursor() as cursor:
        cursor.execute(f"{MANAGED} AND event.id = ANY(%(wanted)s::bigint[])", caller.values | {"wanted": wanted})
        if len(cursor.fetchall()) != len(wanted):
            raise NotManaged(field="events")
    return wanted
