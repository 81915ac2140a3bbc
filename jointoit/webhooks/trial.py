"""A test message, sent at once by the process that is asked for it."""

import threading
from datetime import datetime
from typing import Final
from uuid import uuid4

from django.utils import timezone

from jointoit.accounts.callers import Caller
from jointoit.errors import NotFound, Unavailable
from jointoit.process.leases import LEASE
from jointoit.webhooks import claims, health, signing
from jointoit.webhooks.fan_out import body_of
from jointoit.webhooks.models import Message
from jointoit.webhooks.sending import Sender, Verdict
from jointoit.webhooks.subscriptions import visible

TYPE: Final = "webhook.test"
State = Message.State
#: Of the threads of a web process, one at most waits for somebody else's server.
slot = threading.BoundedSemaphore(1)


class TestBusy(Unavailable):
    code = "busy"
    message = "Another test is running; try again in a moment."
    retry_after = 5
    __test__ = False


def send(*, caller: Caller, webhook_id: int, now: datetime) -> Message:
    """Send one message that tells nothing, also to a webhook that is disabled. Raises NotFound, TestBusy."""
    webhook = visible(caller).filter(pk=webhook_id).first()
    if webhook is None:
        raise NotFound
    if not slot.acquire(blocking=False):
        raise TestBusy
    try:
        body, claim = body_of(TYPE, now, {"webhook": webhook.pk}), uuid4()
        message = Message.objects.create(
            webhook=webhook, type=TYPE, body=body, claim=claim, lease_until=now + LEASE, not_before=now + LEASE,
            give_up_at=now,
        )  # fmt: skip
        message.refresh_from_db()
        seeds = [webhook.seed]
        if webhook.previous_until and webhook.previous_until > now:
            seeds.append(webhook.previous_seed)
        headers = signing.headers(str(message), body.encode(), seeds=seeds, timestamp=int(now.timestamp()))
        sender = Sender(webhook.url)
        outcome = sender.post(body.encode(), headers)
        sender.close()
    finally:
        slot.release()
    sent = outcome.verdict is Verdict.SENT
    told = {"status": outcome.status, "milliseconds": outcome.milliseconds, "answer": outcome.answer}
    line = {"id": message.pk, "claim": claim, "state": State.SENT if sent else State.FAILED, "tried": 1, **told}
    claims.settle([line | {"not_before": now}], now=timezone.now())
    if sent:
        health.note(webhook.pk, [outcome], now=timezone.now())
    message.refresh_from_db()
    return message
