"""A line: the unsent mails to one person about one event, in the order of the facts.

Only the head of a line is claimed (`claims.CLAIM`), so whatever is retried, and however many workers there are, the
next one leaves after it. Facts of one event are written one after the other, with the event held; so the order of the
ids is that of the facts. Before the head leaves, it is looked at beside those behind it: news that was not sent yet is
told once, with the old value of the first and the new value of the last, and a cancellation swallows what it ends.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import F
from django.db.models.functions import Least, Now

from jointoit.mail import payload
from jointoit.mail.messages import ApprovalsWaiting, EventChanged, EventReminder, RegistrationDeclined, SeatMessage
from jointoit.mail.models import OutboxMail
from jointoit.mail.policy import HOUR, MAILS_AN_HOUR

State = OutboxMail.State
#: What a mail about a change shows; a merged one in which these are as before has nothing to tell.
SHOWN = ("date", "ends_at", "location", "timezone")
# Whoever takes mails back holds the event; what they have locked is left to them.
BEHIND = """
    SELECT behind.*, head.id AS head, behind.claim IS NOT NULL OR behind.last_answer <> '' AS was_tried
    FROM mail_outboxmail AS head
    JOIN mail_outboxmail AS behind
      ON behind.recipient = head.recipient AND behind.topic = head.topic
     AND behind.state = 'pending' AND behind.id > head.id
    WHERE head.id = ANY(%(heads)s)
    ORDER BY behind.id
    FOR UPDATE OF behind SKIP LOCKED
"""
#: Which lines have had their share of this hour, and until when. In a line the last by id is the last that was sent.
SPENT = """
    SELECT head.id, oldest.settled_at + %(hour)s FROM mail_outboxmail AS head
    CROSS JOIN LATERAL (
        SELECT settled_at FROM mail_outboxmail AS sent
        WHERE sent.recipient = head.recipient AND sent.topic = head.topic AND sent.state = 'sent'
        ORDER BY id DESC OFFSET %(share)s - 1 LIMIT 1
    ) AS oldest
    WHERE head.id = ANY(%(heads)s) AND oldest.settled_at > %(now)s - %(hour)s
"""
# A sender in mid-work has its mail for a moment; behind a mail that waits for longer nobody needs to look each time.
LINE_UP = """
    WITH blocked AS MATERIALIZED (
        SELECT behind.id, head.not_before FROM mail_outboxmail AS behind
        JOIN mail_outboxmail AS head
          ON head.recipient = behind.recipient AND head.topic = behind.topic
         AND head.state = 'pending' AND head.id < behind.id AND head.claim IS NULL AND head.not_before > %(now)s
        WHERE behind.state = 'pending' AND behind.not_before <= %(now)s AND behind.topic <> ''
        FOR UPDATE OF behind SKIP LOCKED
    )
    UPDATE mail_outboxmail AS mail SET not_before = blocked.not_before FROM blocked WHERE mail.id = blocked.id
"""


def tidy(heads: Iterable[OutboxMail], *, now: datetime) -> list[OutboxMail]:
    """Merge each claimed head with what is behind it; return those that go out now. The caller has a transaction."""
    alone, lined = [], {}
    for mail in heads:
        if mail.topic:
            lined[mail.pk] = mail
        else:
            alone.append(mail)
    if not lined:
        return alone
    behind: defaultdict[int, list[OutboxMail]] = defaultdict(list)
    for mail in OutboxMail.objects.raw(BEHIND, {"heads": list(lined)}):
        behind[mail.head].append(mail)
    merged = {pk for pk, later in behind.items() if merge([lined[pk], *later], now=now)}
    spent = hold_spent([pk for pk in lined if pk not in merged], now=now)
    return [mail for mail in heads if mail.pk not in merged | spent]


def merge(line: Sequence[OutboxMail], *, now: datetime) -> bool:
    """Take back what later news in the line replaces; say whether that is so of the head."""
    replaced = set()
    for place, mail in enumerate(line, start=1):
        later = [other for other in line[place:] if is_about_same(mail, other)]
        if is_replaced(mail, later, now=now):
            replaced.add(mail.pk)
    mails = OutboxMail.objects.filter(pk__in=replaced)
    mails.update(state=State.SUPERSEDED, settled_at=Now(), claim=None, lease_until=None)
    return line[0].pk in replaced


def is_replaced(mail: OutboxMail, later: Sequence[OutboxMail], *, now: datetime) -> bool:
    """Whether the mail need not go out any more; what it had to say is in a later one by then."""
    if any(other.kind in ends() for other in later):
        return True
    if mail.kind == EventReminder.kind:
        return any(is_change(other) for other in later)
    if mail.kind == ApprovalsWaiting.kind:
        return counted(mail, later, now=now)
    return is_change(mail) and (joined(mail, later, now=now) or shown(mail, "before") == shown(mail, "event"))


def counted(mail: OutboxMail, later: Sequence[OutboxMail], *, now: datetime) -> bool:
    """Let the next mail to the organizer count those of this one; False where there is none."""
    following = next((other for other in later if other.kind == mail.kind), None)
    if following is None:
        return False
    following.payload["requests"] = mail.payload.get("requests", 1) + following.payload.get("requests", 1)
    keep(following, now=now)
    return True


def joined(mail: OutboxMail, later: Sequence[OutboxMail], *, now: datetime) -> bool:
    """Let the next change in the line begin where this one did; False where there is none.

    Where that would be no news, but an attempt at this one may have reached the reader, the next is told by itself.
    """
    following = next((other for other in later if is_change(other)), None)
    if following is None:
        return False
    if not mail.was_tried or shown(mail, "before") != shown(following, "event"):
        following.payload["before"] = mail.payload["before"]
    following.was_tried = following.was_tried or mail.was_tried
    keep(following, now=now)
    return True


def keep(mail: OutboxMail, *, now: datetime) -> None:
    """Write what a mail says after merging; it waits no longer than the first of those that it replaces."""
    OutboxMail.objects.filter(pk=mail.pk).update(payload=mail.payload, not_before=Least(F("not_before"), now))


def shown(mail: OutboxMail, name: str) -> list[Any]:
    return [mail.payload[name].get(field) for field in SHOWN]


def is_change(mail: OutboxMail) -> bool:
    """A mail that cannot be read is left to the sender, who says what is wrong with it."""
    return mail.kind == EventChanged.kind and all(isinstance(mail.payload.get(n), dict) for n in ("before", "event"))


def is_about_same(mail: OutboxMail, other: OutboxMail) -> bool:
    """Whether both are about one registration, or neither is about any."""
    return bool(mail.payload.get("registration_id") == other.payload.get("registration_id"))


def hold_spent(heads: list[int], *, now: datetime) -> set[int]:
    """Put back the heads of lines that have had their share of this hour; whatever comes meanwhile is merged."""
    wanted: dict[str, Any] = {"heads": heads, "share": MAILS_AN_HOUR, "hour": HOUR, "now": now}
    with connection.cursor() as cursor:
        cursor.execute(SPENT, wanted)
        spent: dict[int, Any] = dict(cursor.fetchall())
    for pk, until in spent.items():
        OutboxMail.objects.filter(pk=pk).update(claim=None, lease_until=None, not_before=until)
    return set(spent)


def line_up(*, now: datetime) -> None:
    """Have those behind a mail that waits for a later try wait as long, so that no claim passes over them again."""
    with connection.cursor() as cursor:
        cursor.execute(LINE_UP, {"now": now})


@cache
def ends() -> set[str]:
    """The kinds after which nothing that was said of a registration before is worth saying."""
    seat = {kind: cls for kind, cls in payload.kinds().items() if issubclass(cls, SeatMessage)}
    return {kind for kind, cls in seat.items() if cls.calendar_method == "CANCEL" or cls is RegistrationDeclined}
