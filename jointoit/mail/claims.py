"""Who sends which mail: rows are claimed for a lease, and settled by whoever still holds the claim."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import structlog
from django.db import transaction
from django.db.models import Case, Q, TextField, Value, When
from django.db.models.functions import Concat

from jointoit.mail import lines, marks, stops, unverified
from jointoit.mail.models import OutboxMail
from jointoit.mail.policy import STOP_SENDING
from jointoit.process.leases import CLAIMED, LEASE, persistently

log = structlog.get_logger(__name__)
State = OutboxMail.State
GAVE_UP = "Gave up. "

KEEP_FACTS = timedelta(days=90)
#: A settled mail of which only that it was sent is known.
ERASED: dict[str, Any] = {"recipient": "", "payload": {}, "last_answer": ""}
# The CTE is materialized: inside IN (…) the planner may run the limited query more than once (PostgreSQL bug 15715).
CLAIM = f"""
    WITH due AS MATERIALIZED (
        SELECT id, not_before, claim IS NOT NULL OR last_answer <> '' AS was_tried FROM mail_outboxmail AS mail
        WHERE state = 'pending' AND not_before <= %(now)s
          AND (topic = '' OR NOT EXISTS (
              SELECT FROM mail_outboxmail AS earlier
              WHERE earlier.recipient = mail.recipient AND earlier.topic = mail.topic
                AND earlier.state = 'pending' AND earlier.id < mail.id))
        ORDER BY priority, not_before, id
        LIMIT %(limit)s
        FOR UPDATE SKIP LOCKED
    ),
    counted AS (
        UPDATE mail_mailgate SET claims = claims + 1 WHERE EXISTS (SELECT FROM due) RETURNING place, claims
    )
    UPDATE mail_outboxmail m
    SET {CLAIMED}
    FROM due WHERE m.id = due.id
    RETURNING m.*, due.not_before AS was_due, due.was_tried,
              (SELECT place FROM counted), (SELECT claims FROM counted)
"""


class ClaimLost(Exception):
    """The lease was over, and another sender has the mail."""


def claim(*, limit: int, now: datetime) -> list[OutboxMail]:
    """Take up to `limit` due mails, most urgent first; committed before this returns.

    Of the mails to one person about one event only the first, once what it is merged with is merged.
    """
    values = {"now": now, "limit": limit, "claim": uuid4(), "until": now + LEASE}
    while True:
        with transaction.atomic(durable=True):
            mails = sorted(
                OutboxMail.objects.raw(CLAIM, values), key=lambda mail: (mail.priority, mail.was_due, mail.pk)
            )
            going = lines.tidy(unverified.hold_back(stops.withhold(mails), now=now), now=now)
        if mails and mails[0].claims:
            marks.remember(mails[0].place, mails[0].claims)
        if going or not mails:
            return going


def keep(mail: OutboxMail, *, now: datetime) -> None:
    """Have the claim outlast the attempt to come: connecting may have taken long. Raises ClaimLost."""
    assert mail.lease_until
    if now + LEASE <= mail.lease_until + STOP_SENDING:
        return
    mail.lease_until = mail.not_before = now + LEASE
    mine = OutboxMail.objects.filter(pk=mail.pk, claim=mail.claim)
    if not mine.update(lease_until=mail.lease_until, not_before=mail.not_before):
        raise ClaimLost


def settle(mail: OutboxMail, **values: Any) -> bool:
    """Write what became of the mail, if the claim still holds; say whether it did."""
    mine = OutboxMail.objects.filter(pk=mail.pk, claim=mail.claim)
    held = bool(persistently(lambda: mine.update(claim=None, lease_until=None, **values)))
    if not held:
        log.warning(
            "mail_claim_lost",
            mail=mail.pk,
            hint="Nothing to do, if seldom. Often: the mail server is slower than the lease.",
        )
    return held


def put_back(mails: Iterable[OutboxMail]) -> None:
    """Give up the claims on mails that were not tried; they stand where they stood in the queue."""
    for mail in mails:
        settle(mail, not_before=mail.was_due)


def retire(*, now: datetime, untried: str) -> None:
    """Settle due mails that no sender may take now: what came too late to be of use, and what was tried long enough.

    `untried` says why, of mails that never came to be tried themselves.
    """
    due = OutboxMail.objects.filter(state=State.PENDING, not_before__lte=now)
    due.filter(expires_at__lte=now).update(state=State.EXPIRED, settled_at=now)
    answer = Case(When(last_answer="", then=Value(untried)), default="last_answer", output_field=TextField())
    why = Concat(Value(GAVE_UP), answer, output_field=TextField())
    due.filter(give_up_at__lte=now).update(state=State.DEAD, settled_at=now, last_answer=why)


def scrub(*, now: datetime) -> None:
    """Erase from settled mails that are old, or shall be forgotten, to whom they went and what they said."""
    settled = OutboxMail.objects.exclude(state=State.PENDING).exclude(recipient="")
    forgotten = settled.filter(Q(forget=True) | Q(settled_at__lt=now - KEEP_FACTS))
    forgotten.update(**ERASED)
