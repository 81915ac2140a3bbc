"""Whether an address serves us: what its answers mean for its pause, its owner, and whether it is still asked."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import structlog
from django.db import transaction

from jointoit.accounts.notifications import notify
from jointoit.mail.messages import AccountMessage, WebhookDisabled, WebhookFailing
from jointoit.webhooks.models import Message, Webhook
from jointoit.webhooks.policy import DISABLE_AFTER, FAILURES_TO_PAUSE, KEEP, WARN_AFTER, pause_after
from jointoit.webhooks.sending import Outcome, Verdict

log = structlog.get_logger(__name__)
Reason = Webhook.DisabledReason
BATCH: Final = 1_000


def note(webhook_id: int, outcomes: Iterable[Outcome], *, now: datetime) -> None:
    """Write down what the attempts say of the address, in their order."""
    outcomes = list(outcomes)
    with transaction.atomic():
        webhook = Webhook.objects.select_for_update(no_key=True).filter(pk=webhook_id).first()
        if webhook is None or not webhook.enabled:
            return
        for outcome in outcomes:
            if outcome.verdict is Verdict.SENT:
                webhook.failures, webhook.failing_since, webhook.warned_at = 0, None, None
                webhook.last_success_at = now
            else:
                webhook.failures += 1
                webhook.failing_since = webhook.failing_since or now
        webhook.paused_until = pause(webhook, outcomes[-1], now=now)
        if any(outcome.verdict is Verdict.GONE for outcome in outcomes):
            disable(webhook, Reason.GONE, now=now)
        webhook.save()


def pause(webhook: Webhook, last: Outcome, *, now: datetime) -> datetime | None:
    if last.verdict is Verdict.SENT:
        return None
    if last.retry_after is not None:
        return now + last.retry_after
    if last.slow or webhook.failures >= FAILURES_TO_PAUSE:
        return now + pause_after(webhook.failures)
    return None


def disable(webhook: Webhook, reason: str, *, now: datetime) -> None:
    """Send nothing more, and tell the owner. The caller holds the row and saves it."""
    webhook.enabled, webhook.disabled_reason = False, reason
    tell(WebhookDisabled, webhook, now=now)
    log.warning(
        "webhook_disabled",
        webhook=webhook.pk,
        reason=reason,
        hint="Nothing to do: its owner has a mail about it.",
    )


def tell(kind: type[AccountMessage], webhook: Webhook, *, now: datetime) -> None:
    """By mail; in it the address without its path, which may hold a secret."""
    fact = f"{webhook.pk}:{now.isoformat()}"
    notify(kind, webhook.owner, fact=fact, host=read_host(webhook.url), webhook_id=webhook.pk)


def read_host(url: str) -> str:
    return url.partition("://")[2].partition("/")[0].partition("?")[0]


def judge(now: datetime) -> None:
    """Warn owners of addresses that have failed for a day, and give up those that have for five."""
    failing = Webhook.objects.filter(enabled=True, failing_since__lte=now - WARN_AFTER)
    for pk in failing.filter(warned_at=None).values_list("pk", flat=True):
        with transaction.atomic():
            if failing.filter(pk=pk, warned_at=None).update(warned_at=now):
                tell(WebhookFailing, Webhook.objects.select_related("owner").get(pk=pk), now=now)
    for pk in failing.filter(failing_since__lte=now - DISABLE_AFTER).values_list("pk", flat=True):
        with transaction.atomic():
            webhook = failing.filter(pk=pk).select_for_update(no_key=True, of=("self",)).select_related("owner").first()
            if webhook and webhook.failing_since and webhook.failing_since <= now - DISABLE_AFTER:
                disable(webhook, Reason.FAILING, now=now)
                webhook.save()


def prune(now: datetime) -> None:
    """Forget the log of more than 30 days ago."""
    old = Message.objects.filter(created_at__lt=now - KEEP)
    while some := list(old.order_by("created_at").values_list("pk", flat=True)[:BATCH]):
        Message.objects.filter(pk__in=some).delete()
