"""Mails to addresses that nobody has shown to read: without links in others' words, and not more than some a day.

Anybody may sign up with somebody else's address and have the service write there. What exceeds a day's share waits
until the address is verified (`release`); after a day, one mail says how many waited, and they are not sent.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import fields, is_dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db.models import Count, Exists, F, Func, JSONField, OuterRef, Q, Value
from django.db.models.functions import Now

from jointoit.api.linkifier import defused
from jointoit.mail import payload
from jointoit.mail.messages import HeldMails, Message, Person
from jointoit.mail.models import OutboxMail
from jointoit.process.leases import SPEED

State = OutboxMail.State
A_DAY = timedelta(days=1) / SPEED
MAILS_A_DAY = 20
#: Fields whose text is not others' words: addresses of ours and of the reader, names of zones, kinds of things.
OURS = {"address", "url", "registration_url", "timezone", "role"}


def without_links(message: Message) -> Message:
    """The same message with others' words written so that no mail program makes a link of them."""
    written: Message = rewritten(message)
    return written


def rewritten(value: Any) -> Any:
    if isinstance(value, str):
        return defused(value)
    if isinstance(value, list | tuple):
        return type(value)(rewritten(item) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        changed = {f.name: rewritten(getattr(value, f.name)) for f in fields(value) if f.name not in OURS}
        return replace(value, **changed)
    return value


def is_stranger(mail: OutboxMail) -> bool:
    to = mail.payload.get("to")
    return isinstance(to, dict) and to.get("verified") is False


def hold_back(mails: Collection[OutboxMail], *, now: datetime) -> list[OutboxMail]:
    """Put back those of the claimed mails that exceed the day's share of their address; return the others."""
    strangers = [mail for mail in mails if is_stranger(mail)]
    if not strangers:
        return list(mails)
    spent, held = shares_spent(strangers, now=now), set()
    for mail in strangers:
        if mail.held_at is not None:
            held.add(mail.pk)
        elif spent[mail.recipient] >= MAILS_A_DAY:
            held.add(mail.pk)
            OutboxMail.objects.filter(pk=mail.pk).update(
                held_at=now, not_before=now + A_DAY, claim=None, lease_until=None
            )
        else:
            spent[mail.recipient] += 1
    for mail in {mail.recipient: mail for mail in strangers if mail.held_at is not None}.values():
        sum_up(mail)
    return [mail for mail in mails if mail.pk not in held]


def shares_spent(mails: Iterable[OutboxMail], *, now: datetime) -> Counter[str]:
    """How many each address got within a day, or is about to get by another sender."""
    claims = {mail.claim for mail in mails}
    sent = Q(state=State.SENT, settled_at__gt=now - A_DAY)
    going = Q(state=State.PENDING, lease_until__gt=now) & ~Q(claim__in=claims)
    to = OutboxMail.objects.filter(sent | going, recipient__in={mail.recipient for mail in mails})
    return Counter(dict(to.order_by().values_list("recipient").annotate(number=Count("pk"))))


def sum_up(mail: OutboxMail) -> None:
    """One mail in the place of all that wait for the address of this one to be verified."""
    waiting = OutboxMail.objects.filter(state=State.PENDING, recipient=mail.recipient).exclude(held_at=None)
    number = waiting.update(state=State.SUPERSEDED, settled_at=Now(), claim=None, lease_until=None)
    to = payload.build(Person, mail.payload["to"])
    message = HeldMails(to=to, number=number)
    OutboxMail.objects.create(
        kind=message.kind,
        payload=payload.plain(message),
        recipient=mail.recipient,
        dedupe_key=f"held:{mail.pk}",
        message_id=f"<{uuid4().hex}@{mail.message_id.rpartition('@')[2]}",
        priority=int(message.priority),
        give_up_at=mail.give_up_at,
    )


def held_addresses() -> list[str]:
    """Where mails wait for an address to be verified."""
    held = OutboxMail.objects.filter(state=State.PENDING).exclude(held_at=None)
    return list(held.order_by().values_list("recipient", flat=True).distinct())


def release(addresses: Collection[str]) -> None:
    """Send what waited for these addresses to be verified, which they are now, and what `lines.line_up` put behind."""
    verified = Func(F("payload"), Value("{to,verified}"), Value(True, JSONField()), function="jsonb_set")
    waiting = OutboxMail.objects.filter(state=State.PENDING, claim=None, recipient__in=addresses)
    heads = waiting.exclude(held_at=None)
    behind = Exists(heads.exclude(topic="").filter(recipient=OuterRef("recipient"), topic=OuterRef("topic")))
    waiting.filter(Q(held_at__isnull=False) | behind).update(held_at=None, not_before=Now(), payload=verified)
