"""Who is let in: the only writer of scans.

A scan holds the row of its registration (`FOR NO KEY UPDATE`), never the event: two phones with one ticket come one
after the other, and a thousand people pass beside each other. Whoever cancels or replaces a ticket writes that same
row, so a scan sees it as it was before or as it is after. Locks are taken in the order role, registration (the smallest
id first), scan. The unique index on admissions is the last line of defence.

One scan is a look without a lock and one statement that holds and writes if nothing moved since; where something did,
it is decided anew with the lock held before the look, as a batch is.

An online scan is decided when it is made. Of scans that were made without network (`merge`) a ticket that is good let
somebody in there and then, whatever the service knew: if another had been let in with it, both stand and contradict
each other. So who is in, who was first and what contradicts it depend on the set of these scans alone, and not on the
order in which devices come back.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast
from uuid import UUID

import orjson
from django.db import transaction

from jointoit.accounts.callers import Caller
from jointoit.accounts.models import full_name
from jointoit.api.lists.prepared import PreparedQuery, Row, columns_of, instance_of
from jointoit.checkin import reading
from jointoit.checkin.models import Scan
from jointoit.checkin.reading import Claim, Known, Presented, Reason
from jointoit.errors import Conflict, NotFound, Reused
from jointoit.events import door_passes, roles
from jointoit.events.models import Event, Registration
from jointoit.events.refusals import Busy, NotYourEvent
from jointoit.journal import writer as journal
from jointoit.journal.writer import Actor

UNDONE_WITHIN: Final = timedelta(minutes=10)
LOOKS: Final = 10  # how often one request begins anew when another sends the same scans
LOOKED_AT: Final = {
    "id", "organizer_id", "status", "date", "ends_at", "checkin_opens_at", "checkin_closes_at", "deleted_at",
}  # fmt: skip
EVENT: Final = [field.attname for field in Event._meta.concrete_fields if field.attname in LOOKED_AT]
NAMES: Final = "person.username, person.first_name, person.last_name"
#: The members of a scan as clients read it, over `scan`, `person` and `first`.
MEMBERS: Final = (
    f"scan.id, scan.event_id, scan.registration_id, {NAMES}, scan.result, scan.reason, scan.gate, scan.actor_kind, "
    "scan.actor_id, scan.scanned_at, scan.received_at, first.scanned_at AS first_scanned_at, first.gate AS first_gate"
)
TABLES: Final = """
    checkin_scan AS scan
    LEFT JOIN events_registration AS registration ON registration.id = scan.registration_id
    LEFT JOIN accounts_user AS person ON person.id = registration.attendee_id
    LEFT JOIN checkin_scan AS first ON first.id = scan.first_id
"""
#: Over `scan`: it let somebody in.
STANDS: Final = "scan.entered AND scan.undone_at IS NULL"

EVENT_ROW: Final = PreparedQuery(
    f"SELECT {columns_of(Event, 'event', EVENT)} FROM events_event AS event WHERE id = %(event)s"
)
REGISTRATIONS: Final = f"""
    SELECT registration.id, registration.status, registration.ticket_issue, {NAMES}
    FROM events_registration AS registration JOIN accounts_user AS person ON person.id = registration.attendee_id
    WHERE registration.id = ANY(%(registrations)s::bigint[]) AND registration.event_id = %(event)s
    ORDER BY registration.id
"""
LOOK: Final = PreparedQuery(REGISTRATIONS)
HOLD: Final = PreparedQuery(f"{REGISTRATIONS} FOR NO KEY UPDATE OF registration")
#: Scans with these ids, and those that let these registrations in.
EARLIER: Final = PreparedQuery(f"""
    SELECT {MEMBERS}, scan.content, {STANDS} AS stands FROM {TABLES} WHERE scan.id = ANY(%(ids)s::uuid[])
    UNION
    SELECT {MEMBERS}, scan.content, {STANDS} AS stands FROM {TABLES}
    WHERE scan.registration_id = ANY(%(registrations)s::bigint[]) AND {STANDS}
""")
ELSEWHERE: Final = PreparedQuery(
    "SELECT id, status, ticket_issue FROM events_registration WHERE id = ANY(%(registrations)s::bigint[])"
)
#: Writes what is new and its facts. A scan that another request has written meanwhile is missing in the answer.
WRITE: Final = PreparedQuery(f"""
    WITH given AS MATERIALIZED (
        SELECT * FROM jsonb_to_recordset(%(rows)s::jsonb) AS given (
            id uuid, registration bigint, result text, reason text, gate text, entered boolean, scanned_at timestamptz,
            first uuid, content text, number integer)
    ), scan AS (
        INSERT INTO checkin_scan
            (id, event_id, registration_id, result, reason, gate, entered, scanned_at, received_at, first_id,
             actor_kind, actor_id, account_id, pass_id, content)
        SELECT id, %(event)s, registration, result, reason, gate, entered, scanned_at, %(now)s, first,
               %(actor_kind)s, %(actor_id)s::bigint, %(account)s::bigint, %(pass)s::bigint, content
        FROM given ORDER BY number
        ON CONFLICT (id) DO NOTHING RETURNING id
    ), fact AS ({journal.INSERT}
        SELECT 'checkin.' || result, %(now)s, %(actor_kind)s, %(actor_id)s::bigint, %(event)s, registration, NULL,
               jsonb_strip_nulls(jsonb_build_object('scan', id, 'reason', reason)), %(request_id)s::uuid
        FROM given JOIN scan USING (id) ORDER BY number
    )
    SELECT id FROM scan
""")


class ScanIdReused(Reused):
    """A device makes a new id for each scan, and sends the same again only with the same content."""

    code = "scan_id_reused"
    message = "This id belongs to another scan."
    remedy = "Make a new id for this scan. The same id is for sending the same scan again."


class TooLateToUndo(Conflict):
    code = "too_late_to_undo"
    message = "Who is at the door takes a scan back within ten minutes."
    remedy = "Ask whoever manages the event, who can still do it."


#: A scan as in MEMBERS and whether it is new, or why it is none.
Answer = tuple[Row, bool] | ScanIdReused


#: One scan, its event, the registrations it may be of, and who let them in first.
LOOK_ONE: Final = PreparedQuery(f"""
    SELECT {columns_of(Event, "event", EVENT, prefix="event__")}, same.id AS same,
           registration.id, registration.status, registration.ticket_issue, {NAMES},
           first.id AS first_id, first.scanned_at AS first_scanned_at, first.gate AS first_gate
    FROM events_event AS event
    LEFT JOIN checkin_scan AS same ON same.id = %(id)s
    LEFT JOIN events_registration AS registration
           ON registration.id = ANY(%(registrations)s::bigint[]) AND registration.event_id = event.id
    LEFT JOIN accounts_user AS person ON person.id = registration.attendee_id
    LEFT JOIN LATERAL (
        SELECT id, scanned_at, gate FROM checkin_scan AS scan
        WHERE scan.registration_id = registration.id AND {STANDS} ORDER BY scan.scanned_at, scan.id LIMIT 1
    ) AS first ON true
    WHERE event.id = %(event)s
""")
#: Writes one scan and its fact, if role, ticket and who is in are still what they were. A transaction by itself.
WRITE_ONE: Final = PreparedQuery(f"""
    WITH by_role AS MATERIALIZED (
        SELECT id FROM events_membership
        WHERE member_id = %(account)s::bigint AND owner_id = %(owner)s
          AND (event_id IS NULL OR event_id = %(event)s) FOR SHARE
    ), by_pass AS MATERIALIZED (
        SELECT id FROM events_doorpass
        WHERE id = %(pass)s::bigint AND revoked_at IS NULL AND expires_at > %(now)s FOR SHARE
    ), held AS MATERIALIZED (
        SELECT id FROM events_registration
        WHERE id = %(registration)s::bigint AND status = %(status)s AND ticket_issue = %(issue)s
          AND (%(account)s::bigint = %(owner)s OR EXISTS (SELECT FROM by_role) OR EXISTS (SELECT FROM by_pass))
        FOR NO KEY UPDATE
    ), scan AS (
        INSERT INTO checkin_scan
            (id, event_id, registration_id, result, reason, gate, entered, scanned_at, received_at, first_id,
             actor_kind, actor_id, account_id, pass_id, content)
        SELECT %(id)s, %(event)s, id, %(result)s, %(reason)s, %(gate)s, %(entered)s, %(scanned_at)s, %(now)s,
               %(first)s::uuid, %(actor_kind)s, %(actor_id)s::bigint, %(account)s::bigint, %(pass)s::bigint, %(content)s
        FROM held
        WHERE NOT %(entered)s OR NOT EXISTS (
            SELECT FROM checkin_scan AS scan WHERE scan.registration_id = %(registration)s::bigint AND {STANDS})
        ON CONFLICT DO NOTHING RETURNING id, registration_id, result, reason
    ), fact AS ({journal.INSERT}
        SELECT 'checkin.' || result, %(now)s, %(actor_kind)s, %(actor_id)s::bigint, %(event)s, registration_id, NULL,
               jsonb_strip_nulls(jsonb_build_object('scan', id, 'reason', reason)), %(request_id)s::uuid
        FROM scan
    )
    SELECT id FROM scan
""")


@dataclass(frozen=True)
class Keeper:
    """Who stands at the door of an event."""

    event: Event
    actor: Actor
    caller: Caller
    role: roles.Role

    @property
    def own(self) -> dict[str, int | None]:
        """Whose scans these are: an account's, through whatever key, or a door pass's."""
        user, door = self.caller.user, self.caller.door
        return {"account": user.pk if user else None, "pass": door.pass_id if door else None}

    def may_see(self, scan: Scan) -> bool:
        own = {"account": scan.account_id, "pass": scan.pass_id}
        return self.role != roles.Role.DOOR or own == self.own


def keeper_of(caller: Caller, event_id: int) -> Keeper:
    """Raises NotFound for whoever may not know of the event, NotYourEvent for who is not at its door."""
    row = EVENT_ROW.row({"event": event_id})
    if row is None:
        raise NotFound
    return keeper_for(caller, instance_of(Event, row, EVENT))


def keeper_for(caller: Caller, event: Event) -> Keeper:
    """The same for an event that is at hand."""
    if not roles.sees(caller, event):
        raise NotFound
    found = roles.at_door(caller, event)
    if found is None:
        raise NotYourEvent
    role, actor = found
    return Keeper(event, actor, caller, role)


def admit(*, caller: Caller, event_id: int, scan: Presented, now: datetime, dry_run: bool = False) -> tuple[Row, bool]:
    """Decide about one ticket that is at the door now, and whether this is new: the same scan again changes nothing.

    With `dry_run` nothing is held or written. Raises NotFound, NotYourEvent, ScanIdReused.
    """
    claim = reading.claim_of(scan)
    registrations = reading.registrations_of([claim], event_id=event_id)
    rows = LOOK_ONE.rows({"event": event_id, "id": scan.id, "registrations": registrations})
    if not rows:
        raise NotFound
    keeper = keeper_for(caller, instance_of(Event, rows[0], EVENT, prefix="event__"))
    batch = Batch(keeper, [scan], now=now)
    if dry_run:
        [found] = batch.decide(LOOK)
    elif rows[0]["same"] is None and (row := batch.decide_seen(rows)) and batch.write_seen(row):
        found = row, True
    else:
        [found] = record(keeper, [scan], now=now)
    if isinstance(found, ScanIdReused):
        raise found
    return found


def merge(
    *, caller: Caller, event_id: int, scans: Sequence[Presented], device_time: datetime, now: datetime
) -> list[Answer]:
    """Take over what a device scanned without network, in the order given; all is written, or nothing.

    `device_time` is its clock at this moment, and corrects its times. A scan whose id is another's is told in its
    place. Raises NotFound, NotYourEvent.
    """
    return record(keeper_of(caller, event_id), scans, now=now, device_time=device_time)


def undo(*, caller: Caller, event_id: int, scan_id: UUID, now: datetime) -> None:
    """Take a scan back; the row says who and when. Twice is once.

    Who is at the door does so with own scans, for ten minutes; who manages the event with all, at any time.
    Raises NotFound, NotYourEvent, TooLateToUndo.
    """
    keeper = keeper_of(caller, event_id)
    with transaction.atomic():
        hold_right(keeper, now=now)
        scan = Scan.objects.filter(pk=scan_id, event=event_id).first()
        if scan is None or not keeper.may_see(scan):
            raise NotFound
        if scan.registration_id:
            list(Registration.objects.select_for_update(no_key=True).filter(pk=scan.registration_id).values_list("pk"))
        scan = Scan.objects.select_for_update(no_key=True, of=("self",)).get(pk=scan_id)
        if scan.undone_at:
            return
        if keeper.role == roles.Role.DOOR and now - scan.received_at > UNDONE_WITHIN:
            raise TooLateToUndo
        scan.undone_at, scan.undone_by_kind, scan.undone_by_id = now, keeper.actor.kind, keeper.actor.id
        scan.save(update_fields=["undone_at", "undone_by_kind", "undone_by_id"])
        journal.record([
            journal.fact(
                "checkin.undone", actor=keeper.actor, at=now, event_id=event_id,
                registration_id=scan.registration_id, before={"scan": str(scan.pk), "result": scan.result},
            )
        ])  # fmt: skip


# ── Steps ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def hold_right(keeper: Keeper, *, now: datetime) -> None:
    """Keep the role or the pass until the transaction ends. Raises NotYourEvent, DeadToken where it is gone."""
    if keeper.caller.door:
        door_passes.share(keeper.caller.door.pass_id, now=now)
    elif not roles.share(keeper.caller, keeper.event):
        raise NotYourEvent


def record(
    keeper: Keeper, scans: Sequence[Presented], *, now: datetime, device_time: datetime | None = None
) -> list[Answer]:
    """Decide and write in one transaction, again where another request wrote one of the same scans meanwhile."""
    batch = Batch(keeper, scans, now=now, device_time=device_time)
    for _ in range(LOOKS):
        with transaction.atomic():
            hold_right(keeper, now=now)
            answers = batch.decide(HOLD)
            if batch.write():
                return answers
            transaction.set_rollback(True)
    raise Busy


class Batch:
    """Scans that come together. With `device_time` they were made without network."""

    def __init__(
        self, keeper: Keeper, scans: Sequence[Presented], *, now: datetime, device_time: datetime | None = None
    ) -> None:
        self.keeper, self.scans, self.now, self.device_time = keeper, scans, now, device_time
        self.claims = [reading.claim_of(scan) for scan in scans]
        self.moments = [moment_of(scan.scanned_at, device_time=device_time, now=now) for scan in scans]
        self.known: dict[int, Known] = {}
        self.entries: defaultdict[int, list[Row]] = defaultdict(list)
        self.new: list[Row] = []

    def decide(self, registrations: PreparedQuery) -> list[Answer]:
        """An answer to each scan in the order given; decided in the order in which they were made."""
        stored = self.load(registrations)
        answers: dict[int, Answer] = {}
        for number in sorted(range(len(self.scans)), key=lambda number: (self.moments[number], self.scans[number].id)):
            scan = self.scans[number]
            content = scan.content(self.keeper.event.pk)
            if earlier := stored.get(scan.id):
                answers[number] = (earlier, False) if earlier["content"] == content else ScanIdReused()
                continue
            row = self.decide_one(number) | {"content": content}
            stored[scan.id] = row
            self.new.append(row)
            answers[number] = (row, True)
        return [answers[number] for number in range(len(self.scans))]

    def load(self, registrations: PreparedQuery) -> dict[UUID, Row]:
        """Read what is there, and hold it if the query does; returns the scans that came before."""
        values = {
            "event": self.keeper.event.pk,
            "registrations": reading.registrations_of(self.claims, event_id=self.keeper.event.pk),
            "ids": [scan.id for scan in self.scans],
        }
        self.known = {row["id"]: cast(Known, row) for row in registrations.rows(values)}
        self.new.clear()
        self.entries.clear()
        earlier = EARLIER.rows(values)
        for row in earlier:
            if row["stands"]:
                self.entries[row["registration_id"]].append(row)
        return {row["id"]: row for row in earlier}

    def decide_one(self, number: int) -> Row:
        scan, claim, moment = self.scans[number], self.claims[number], self.moments[number]
        known, is_good = reading.match(claim, self.known)
        first = None
        if known is None:
            reason: Reason | None = self.reason_of_nobody(claim)
        else:
            at = self.now if self.device_time is None else moment
            reason = reading.objection(self.keeper.event, known, is_good=is_good, at=at)
            if reason is None and (entries := self.entries[known["id"]]):
                reason, first = Reason.ALREADY_ADMITTED, min(entries, key=in_order)
        # Without network a good ticket let somebody in, whatever the service knew.
        entered = reason is None or (reason == Reason.ALREADY_ADMITTED and self.device_time is not None)
        row: Row = {
            "id": scan.id, "event_id": self.keeper.event.pk, "registration_id": known and known["id"],
            **{name: known and cast(Row, known)[name] for name in ("username", "first_name", "last_name")},
            "result": Scan.Result.REFUSED.value if reason else Scan.Result.ADMITTED.value,
            "reason": reason and reason.value, "gate": scan.gate, "entered": entered, "scanned_at": moment,
            "received_at": self.now, "actor_kind": self.keeper.actor.kind, "actor_id": self.keeper.actor.id,
            "first_id": first and first["id"], "first_scanned_at": first and first["scanned_at"],
            "first_gate": first and first["gate"],
        }  # fmt: skip
        if entered and known:
            self.entries[known["id"]].append(row)
        return row

    def decide_seen(self, rows: Sequence[Row]) -> Row | None:
        """Decide about the one scan by what LOOK_ONE saw; None where it saw no registration."""
        self.known = {row["id"]: cast(Known, row) for row in rows if row["id"]}
        for row in rows:
            if row["first_id"]:
                first = {"id": row["first_id"], "scanned_at": row["first_scanned_at"], "gate": row["first_gate"]}
                self.entries[row["id"]].append(first)
        row = self.decide_one(0)
        return row | {"content": self.scans[0].content(self.keeper.event.pk)} if row["registration_id"] else None

    def write_seen(self, row: Row) -> bool:
        """Whether the scan was written: not where anything has moved since it was decided about."""
        known = self.known[row["registration_id"]]
        names = ("id", "result", "reason", "gate", "entered", "scanned_at", "content")
        values = {name: row[name] for name in names} | {
            "registration": known["id"], "status": known["status"], "issue": known["ticket_issue"],
            "first": row["first_id"], "event": self.keeper.event.pk, "owner": self.keeper.event.organizer_id,
            "now": self.now,
        }  # fmt: skip
        return bool(WRITE_ONE.rows({**values, **self.keeper.own, **journal.written(self.keeper.actor)}))

    def reason_of_nobody(self, claim: Claim) -> Reason:
        """Why nobody of this event is meant."""
        if claim.reason:
            return claim.reason
        if claim.event is not None:
            return Reason.WRONG_EVENT
        elsewhere = ELSEWHERE.rows({"registrations": [each.registration for each in claim.candidates]})
        by_code = all(each.modulus for each in claim.candidates)  # a bare number tells nobody what there is elsewhere
        found, _ = reading.match(claim, {row["id"]: cast(Known, row) for row in elsewhere})
        return Reason.WRONG_EVENT if by_code and found else Reason.UNKNOWN_CODE

    def write(self) -> bool:
        """Whether all that is new was written, with its facts."""
        if not self.new:
            return True
        rows = [
            {name: row[name] for name in ("id", "result", "reason", "gate", "entered", "scanned_at", "content")}
            | {"registration": row["registration_id"], "first": row["first_id"], "number": number}
            for number, row in enumerate(self.new)
        ]
        values = {"rows": orjson.dumps(rows).decode(), "event": self.keeper.event.pk, "now": self.now}
        written = WRITE.rows({**values, **self.keeper.own, **journal.written(self.keeper.actor)})
        return len(written) == len(rows)


def in_order(row: Row) -> tuple[datetime, UUID]:
    """What was first: the moment, and of one moment the smaller id."""
    return row["scanned_at"], row["id"]


def moment_of(scanned_at: datetime | None, *, device_time: datetime | None, now: datetime) -> datetime:
    """When it was, by the clock of the service and never later than now; a device may be wrong by years."""
    if scanned_at is None:
        return now
    try:
        return min(scanned_at + (now - device_time if device_time else timedelta()), now)
    except OverflowError:
        return now


# ── As clients see it ─────────────────────────────────────────────────────────────────────────────────────────────────


def scan_members(row: Row) -> dict[str, Any]:
    """A scan, as it was answered and ever will be."""
    first = row["first_scanned_at"]
    return {
        "id": row["id"],
        "event": row["event_id"],
        "registration": row["registration_id"],
        "name": name_of(row),
        "result": row["result"],
        "reason": row["reason"],
        "gate": row["gate"],
        "by": {"kind": row["actor_kind"], "id": row["actor_id"]},
        "scanned_at": row["scanned_at"],
        "received_at": row["received_at"],
        "first": first and {"scanned_at": first, "gate": row["first_gate"]},
    }


def name_of(row: Row) -> str | None:
    """Of the person, where there is one; never an address."""
    return None if row["username"] is None else full_name(row["username"], row["first_name"], row["last_name"])


# ── What contradicts itself ───────────────────────────────────────────────────────────────────────────────────────────

CONFLICTS: Final = PreparedQuery(
    f"SELECT {MEMBERS} FROM {TABLES} WHERE scan.registration_id = ANY(%(registrations)s::bigint[]) AND {STANDS} "
    "ORDER BY scan.registration_id, scan.scanned_at, scan.id"
)


def conflicts_of(answers: Sequence[Answer]) -> list[dict[str, Any]]:
    """Of the registrations that were scanned, those that let in more than one: all these scans, the first in front."""
    rows = [answer[0] for answer in answers if not isinstance(answer, ScanIdReused)]
    wanted = sorted({row["registration_id"] for row in rows if row["registration_id"]})
    found: defaultdict[int, list[Row]] = defaultdict(list)
    for row in CONFLICTS.rows({"registrations": wanted}):
        found[row["registration_id"]].append(row)
    return [
        {"registration": pk, "name": name_of(scans[0]), "scans": [entry_members(each) for each in scans]}
        for pk, scans in found.items()
        if len(scans) > 1
    ]


def entry_members(row: Row) -> dict[str, Any]:
    by = {"kind": row["actor_kind"], "id": row["actor_id"]}
    return {"id": row["id"], "scanned_at": row["scanned_at"], "gate": row["gate"], "by": by}
