"""The only way in: a mail is promised in the transaction of the fact it tells, and sent after it, or neither happens.

Keys say what a mail is about, from the general to the particular (`registration:7:1.0:registration_confirmed`), so
that `supersedes` and `standing` can name all mails about one thing by the beginning of their keys.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, TypedDict
from uuid import uuid4

from django.db import connection, transaction
from django.db.models.functions import Now

from jointoit.api.lists.prepared import PreparedQuery
from jointoit.mail import claims, payload, tasks
from jointoit.mail.messages import Message, SeatMessage
from jointoit.mail.models import OutboxMail
from jointoit.mail.policy import GIVE_UP_AFTER
from jointoit.mail.sender import domain

CHUNK = 1_000  # rows in one statement: about 2 MB of payload
#: For a statement that writes the fact and its promise at once: reads from a CTE `promised`, with the columns `rows`,
#: as `Promise` has them, and `position`, the place on the waiting list that the statement gave, or null.
INSERT_PROMISED = """
    INSERT INTO mail_outboxmail (kind, facts, recipient, topic, dedupe_key, message_id, priority,
                                 state, attempt, failures, not_before, expires_at, give_up_at, last_answer)
    SELECT kind,
           CASE WHEN position IS NULL THEN payload ELSE payload || jsonb_build_object('position', position) END,
           recipient, coalesce(topic, ''), dedupe_key, message_id, priority,
           'pending', 0, 0, coalesce(%(not_before)s::timestamptz, m.not_before, now()), %(expires_at)s::timestamptz,
           coalesce(%(not_before)s::timestamptz, m.not_before, now()) + %(give_up_after)s::interval, ''
    FROM promised, jsonb_to_recordset(promised.rows)
         AS m (kind text, payload jsonb, recipient text, topic text, dedupe_key text, message_id text, priority int,
               not_before timestamptz)
    ON CONFLICT (dedupe_key) DO NOTHING
"""
INSERT = f"WITH promised AS (SELECT %(rows)s::jsonb AS rows, NULL::integer AS position) {INSERT_PROMISED}"
# The operators compare byte by byte whatever the collation, as the index behind LIKE does; ';' follows ':' in ASCII.
LATEST = PreparedQuery("""
    SELECT DISTINCT ON (about) about, kind, state, last_answer
    FROM unnest(%(about)s::text[]) AS about
    JOIN mail_outboxmail ON dedupe_key ~>=~ (about || ':') AND dedupe_key ~<~ (about || ';')
    ORDER BY about, id DESC
""")

RENAME = """
    UPDATE mail_outboxmail
    SET facts = jsonb_set(jsonb_set(jsonb_set(jsonb_set(jsonb_set(jsonb_set(facts,
        '{event,contact}', 'null'), '{before,contact}', 'null'),
        '{event,organizer_name}', to_jsonb(%(name)s::text)), '{event,organizer_address}', to_jsonb(%(address)s::text)),
        '{before,organizer_name}', to_jsonb(%(name)s::text)), '{before,organizer_address}', to_jsonb(%(address)s::text))
    FROM unnest(%(about)s::text[]) AS about
    WHERE dedupe_key ~>=~ (about || ':') AND dedupe_key ~<~ (about || ';')
"""

ERASE = """
    UPDATE mail_outboxmail SET recipient = '', facts = '{}', last_answer = ''
    FROM unnest(%(about)s::text[]) AS about
    WHERE dedupe_key ~>=~ (about || ':') AND dedupe_key ~<~ (about || ';') AND state <> 'pending'
"""


@dataclass(frozen=True)
class LatestMail:
    """What became of the newest mail about something."""

    kind: str
    state: str
    last_answer: str


def enqueue(
    message: Message,
    *,
    key: str,
    not_before: datetime | None = None,
    expires_at: datetime | None = None,
    supersedes: str | None = None,
) -> None:
    """Promise one mail. With a key that was used before this does nothing: one fact, one mail.

    `not_before`: sent no sooner. `expires_at`: not sent any more. `supersedes`: the beginning of the keys of mails
    that, if they still wait, are not sent. Raises TransactionManagementError outside a transaction.
    """
    enqueue_many([(message, key)], not_before=not_before, expires_at=expires_at, supersedes=supersedes)


def enqueue_many(
    pairs: Iterable[tuple[Message, str]],
    *,
    not_before: datetime | None = None,
    expires_at: datetime | None = None,
    supersedes: str | None = None,
) -> int:
    """Promise many mails, as `enqueue` does; `pairs` of message and key are consumed a thousand at a time.

    Returns how many were new.
    """
    require_transaction()
    if supersedes is not None:
        supersede(supersedes)
    times: dict[str, Any] = {"not_before": not_before, "expires_at": expires_at, "give_up_after": GIVE_UP_AFTER}
    new = 0
    for chunk in chunks(pairs):
        new += insert(chunk, times)
    if new and not_before is None:
        notify_on_commit()
    return new


def latest(about: Iterable[str]) -> dict[str, LatestMail]:
    """What became of the newest mail about each of these, such as `registration:7`; none where there never was one."""
    rows = LATEST.rows({"about": list(about)})
    return {row["about"]: LatestMail(row["kind"], row["state"], row["last_answer"]) for row in rows}


def forget(address: str, *, because_of: str = "") -> None:
    """Erase an address and what was written to it; mails that still wait are sent first, and erased within the hour.

    `because_of` is the beginning of the keys of the mails that are meant; empty: every mail to the address.
    """
    mails = OutboxMail.objects.filter(recipient=address, dedupe_key__startswith=because_of)
    mails.filter(state=OutboxMail.State.PENDING).update(forget=True)
    mails.exclude(state=OutboxMail.State.PENDING).update(**claims.ERASED)


def forget_about(*prefixes: str, withdraw: bool = False) -> None:
    """Erase to whom mails went and what they said whose keys begin so, of those that wait once they are settled.

    With `withdraw` those that wait are not sent any more, and erased as well.
    """
    for prefix in prefixes:
        mails = OutboxMail.objects.filter(dedupe_key__startswith=prefix)
        waiting = mails.filter(state=OutboxMail.State.PENDING)
        if withdraw:
            waiting.update(state=OutboxMail.State.SUPERSEDED, settled_at=Now())
        else:
            waiting.update(forget=True)
        mails.exclude(state=OutboxMail.State.PENDING).update(**claims.ERASED)


def erase(about: Iterable[str]) -> None:
    """Erase to whom settled mails about these, such as `registration:7`, went, and what they said."""
    with connection.cursor() as cursor:
        cursor.execute(ERASE, {"about": list(about)})


def rename_organizer(about: Iterable[str], *, name: str, address: str) -> None:
    """Have mails about these, such as `registration:7`, name another organizer and no contact, sent or not."""
    keys = iter(about)
    with connection.cursor() as cursor:
        while chunk := list(islice(keys, CHUNK)):
            cursor.execute(RENAME, {"about": chunk, "name": name, "address": address})


def require_transaction() -> None:
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("A mail is promised in the transaction of the fact it tells.")


def supersede(prefix: str, *, kind: type[Message] | None = None) -> None:
    """Take back the unsent mails whose keys begin so, or those of one kind among them.

    One that a sender has is let go: what comes after it waits, and replaces it should it come back (`lines`).
    """
    waiting = OutboxMail.objects.filter(state=OutboxMail.State.PENDING, claim=None, dedupe_key__startswith=prefix)
    if kind:
        waiting = waiting.filter(kind=kind.kind)
    waiting.update(state=OutboxMail.State.SUPERSEDED, settled_at=Now())


def withdraw(kind: type[SeatMessage], *, event_id: int) -> list[int]:
    """Take back the unsent mails of one kind about an event; return which registrations they were about."""
    about = {"event": {"id": event_id}}
    unsent = OutboxMail.objects.filter(state=OutboxMail.State.PENDING, claim=None)
    waiting = unsent.filter(kind=kind.kind, payload__contains=about)
    found = dict(waiting.select_for_update().values_list("pk", "payload__registration_id"))
    OutboxMail.objects.filter(pk__in=found).update(state=OutboxMail.State.SUPERSEDED, settled_at=Now())
    return list(found.values())


def chunks(pairs: Iterable[tuple[Message, str]]) -> Iterator[list[tuple[Message, str]]]:
    pairs = iter(pairs)
    while chunk := list(islice(pairs, CHUNK)):
        yield chunk


def insert(chunk: list[tuple[Message, str]], times: dict[str, Any]) -> int:
    """One statement with one parameter: a driver takes longer to quote arrays than PostgreSQL to read JSON."""
    host = domain()
    rows = [row(message, key, host) for message, key in chunk]
    with connection.cursor() as cursor:
        cursor.execute(INSERT, {"rows": payload.dump(rows)} | times)
        return int(cursor.rowcount)


class Promise(TypedDict):
    """The values that INSERT_PROMISED asks for; `rows` is JSON."""

    rows: str
    not_before: datetime | None
    expires_at: datetime | None
    give_up_after: timedelta


def promise(*mails: tuple[Message, str, datetime | None]) -> Promise:
    """Message, key and `not_before` of some mails, for a statement with INSERT_PROMISED.

    Whoever runs it calls `notify_on_commit` afterwards.
    """
    host = domain()
    rows = [row(message, key, host) | {"not_before": not_before} for message, key, not_before in mails]
    return {"rows": payload.dump(rows), "not_before": None, "expires_at": None, "give_up_after": GIVE_UP_AFTER}


def notify_on_commit() -> None:
    transaction.on_commit(tasks.notify_worker, robust=True)


def row(message: Message, key: str, host: str) -> dict[str, object]:
    return {
        "kind": message.kind,
        "payload": message,
        "recipient": message.to.address,
        "topic": message.topic,
        "dedupe_key": key,
        "message_id": f"<{uuid4().hex}@{host}>",
        "priority": int(message.priority),
    }
