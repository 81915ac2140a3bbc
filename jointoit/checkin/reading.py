"""What a device sends, and what it may be: pure, without the database."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict
from uuid import UUID

from jointoit.checkin.models import Scan
from jointoit.events.models import Event, Registration
from jointoit.tickets import codes, tokens

Reason = Scan.Reason
Status = Registration.Status


@dataclass(frozen=True, kw_only=True)
class Presented:
    """A scan as the device made it: its own id, one of `token`, `code` and `registration`, and its own clock."""

    id: UUID
    token: str | None = None
    code: str | None = None
    registration: int | None = None
    gate: str | None = None
    scanned_at: datetime | None = None

    def content(self, event_id: int) -> str:
        """A digest by which a repetition is told from another scan under the same id."""
        moment = self.scanned_at and self.scanned_at.isoformat()
        sent = json.dumps([event_id, self.token, self.code, self.registration, self.gate, moment])
        return hashlib.blake2b(sent.encode(), digest_size=16).hexdigest()


@dataclass(frozen=True)
class Candidate:
    """A registration that a ticket may be for. Without an issue any is meant; a code tells its lowest bits alone."""

    registration: int
    issue: int | None
    modulus: int | None = None

    def is_of(self, issue: int) -> bool:
        return self.issue is None or self.issue == (issue % self.modulus if self.modulus else issue)


@dataclass(frozen=True)
class Claim:
    """What was read: candidates, or why there is none. `event` is known of a token alone."""

    candidates: tuple[Candidate, ...] = ()
    event: int | None = None
    reason: Reason | None = None


class Known(TypedDict):
    """A registration of the event, as it is now."""

    id: int
    status: str
    ticket_issue: int


def claim_of(presented: Presented) -> Claim:
    if presented.token is not None:
        try:
            ticket = tokens.verify(presented.token)
        except tokens.ForgedTicketError:
            return Claim(reason=Reason.FORGED)
        return Claim((Candidate(ticket.registration, ticket.issue),), event=ticket.event)
    if presented.code is not None:
        try:
            found = codes.read(presented.code)
        except codes.UnknownCodeError:
            return Claim(reason=Reason.UNKNOWN_CODE)
        return Claim(tuple(Candidate(pk, issue, 2**codes.ISSUE) for pk, issue in found))
    assert presented.registration is not None
    return Claim((Candidate(presented.registration, None),))


def match(claim: Claim, known: dict[int, Known]) -> tuple[Known | None, bool]:
    """The registration that is meant, and whether this issue of its ticket is the good one."""
    here = [(known[each.registration], each) for each in claim.candidates if each.registration in known]
    for row, candidate in here:
        if candidate.is_of(row["ticket_issue"]):
            return row, True
    for row, candidate in here:
        if was_issued(candidate, row["ticket_issue"]):
            return row, False
    return None, False


def was_issued(candidate: Candidate, present: int) -> bool:
    """Whether an earlier issue is meant. What another key makes of a code is a number that was never given out."""
    return candidate.modulus is None or present >= candidate.modulus or 0 < (candidate.issue or 0) < present


def objection(event: Event, row: Known, *, is_good: bool, at: datetime) -> Reason | None:
    """What stands against letting somebody in at that moment, but for being in already: the most telling first."""
    if event.status == Event.Status.CANCELLED:
        return Reason.EVENT_CANCELLED
    if row["status"] == Status.CANCELLED:
        return Reason.CANCELLED
    if row["status"] != Status.CONFIRMED:
        return Reason.NOT_CONFIRMED
    if not is_good:
        return Reason.REISSUED
    return None if event.door_opens <= at < event.door_closes else Reason.NOT_OPEN


def registrations_of(claims: Iterable[Claim], *, event_id: int) -> list[int]:
    """Every registration that may be meant, of this event as far as the claims tell."""
    of_event = (claim for claim in claims if claim.event in (None, event_id))
    return sorted({candidate.registration for claim in of_event for candidate in claim.candidates})
