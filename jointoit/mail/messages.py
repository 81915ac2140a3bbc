"""The mails that exist: one frozen class each, and one folder each under `templates/mail/<kind>/`.

A message holds the facts of the moment it was promised, not ids to read again later. Times are aware and in UTC;
the template writes them in the reader's own zone. Nothing here knows accounts or events.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import ClassVar


class Priority(IntEnum):
    """Which mail goes first when many wait."""

    URGENT = 0  # somebody sits in front of the screen and waits for it
    NORMAL = 5
    BULK = 9  # one fact told to many


@dataclass(frozen=True, kw_only=True)
class Person:
    """Whom a mail is for: the address, the name to greet, and the IANA zone to write times in.

    `verified`: somebody has shown to read mail there. Else it may be a stranger's, whom others' words must not reach
    as a link (`unverified`).
    """

    address: str
    name: str
    timezone: str
    verified: bool = True


@dataclass(frozen=True, kw_only=True)
class EventPayload:
    """What a mail says of an event. `revision` grows with each change and becomes the calendar's SEQUENCE."""

    id: int
    title: str
    date: datetime
    ends_at: datetime | None
    timezone: str
    location: str
    url: str
    organizer_name: str
    organizer_address: str
    revision: int
    description: str = ""  # its beginning
    contact: str | None = None  # where replies go


@dataclass(frozen=True, kw_only=True)
class Message:
    to: Person

    kind: ClassVar[str]
    priority: ClassVar[Priority] = Priority.NORMAL

    def __init_subclass__(cls) -> None:
        cls.kind = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    @property
    def topic(self) -> str:
        """What the mail is about; those about one topic reach a person in the order of the facts. Empty: no matter."""
        event = event_of(self)
        return f"event:{event.id}" if event else ""


def event_of(message: Message) -> EventPayload | None:
    """The event that a mail is about, if it is about one."""
    return getattr(message, "event", None)


# ── About an account ──────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, kw_only=True)
class AccountMessage(Message):
    user_id: int
    token_epoch: int

    priority = Priority.URGENT


@dataclass(frozen=True, kw_only=True)
class Welcome(AccountMessage):
    """Greets a new account and asks to confirm the address."""


@dataclass(frozen=True, kw_only=True)
class ConfirmEmail(AccountMessage):
    """Goes to an address that an account wants to use from now on, or asks again to confirm the present one."""


@dataclass(frozen=True, kw_only=True)
class ChangeMessage(AccountMessage):
    """Tells of a new address or username; `can_stop`: with a link that takes it back."""

    can_stop: bool = False

    @property
    def brings_back(self) -> str:
        """What the account has again once the link is used: an address or, without an @, a username."""
        return self.to.address


@dataclass(frozen=True, kw_only=True)
class EmailChangeAsked(ChangeMessage):
    """Goes to the present address when another one is asked for.

    Where the password did not come with it, `agree` is a digest of that other one, for the link that agrees.
    """

    new_address_masked: str
    agree: str = ""


@dataclass(frozen=True, kw_only=True)
class EmailChanged(ChangeMessage):
    """Goes to the old address once a new one has taken its place."""

    new_address_masked: str


@dataclass(frozen=True, kw_only=True)
class UsernameChanged(ChangeMessage):
    """Tells the owner of a new username."""

    old_username: str

    @property
    def brings_back(self) -> str:
        return self.old_username


@dataclass(frozen=True, kw_only=True)
class GuessesRefused(AccountMessage):
    """Tells that log-ins from new places are refused, because somebody tries passwords."""


@dataclass(frozen=True, kw_only=True)
class SessionEnded(AccountMessage):
    """Tells that a log-in was ended because its refresh token came a second time."""


@dataclass(frozen=True, kw_only=True)
class PasswordReset(AccountMessage):
    """Carries the token that lets the reader choose a new password."""


@dataclass(frozen=True, kw_only=True)
class LoginLink(AccountMessage):
    """Carries the token that lets the reader log in without a password."""


@dataclass(frozen=True, kw_only=True)
class PasswordProof(AccountMessage):
    """Carries the token that stands in for the password of an account that has none."""


@dataclass(frozen=True, kw_only=True)
class PasswordChanged(AccountMessage):
    """Tells that the password was changed, and how many keys for programs go on all the same."""

    keys: int = 0


@dataclass(frozen=True, kw_only=True)
class HeldMails(Message):
    """Tells an address that nobody has verified how many mails to it waited for that, and will not be sent."""

    number: int


@dataclass(frozen=True, kw_only=True)
class WebhookMessage(AccountMessage):
    """About an address that takes no messages; `host` is all that is said of it."""

    webhook_id: int
    host: str

    priority = Priority.NORMAL


@dataclass(frozen=True, kw_only=True)
class WebhookFailing(WebhookMessage):
    """Warns after a day."""


@dataclass(frozen=True, kw_only=True)
class WebhookDisabled(WebhookMessage):
    """Tells that nothing is sent there any more."""


# ── About a team ──────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, kw_only=True)
class InvitationMessage(Message):
    """Offers something to an address that may be nobody's. Without an event it is about all of the owner's."""

    invitation_id: int
    inviter: str
    event: EventPayload | None
    expires_at: datetime

    priority = Priority.URGENT


@dataclass(frozen=True, kw_only=True)
class TeamInvitation(InvitationMessage):
    """Offers a role: `manager` or `door`."""

    role: str


@dataclass(frozen=True, kw_only=True)
class HandoverInvitation(InvitationMessage):
    """Offers the event itself."""


@dataclass(frozen=True, kw_only=True)
class HandoverAccepted(Message):
    """Tells the old owner that somebody has taken the event over."""

    event: EventPayload
    new_owner: str


@dataclass(frozen=True, kw_only=True)
class EventHandedOver(Message):
    """Tells the new owner; without an old one, because that account was closed."""

    event: EventPayload
    old_owner: str | None


@dataclass(frozen=True, kw_only=True)
class ApprovalsWaiting(Message):
    """Tells the organizer that people ask for a seat; those who ask while it waits to be sent are counted in it."""

    event: EventPayload
    requests: int = 1

    @property
    def topic(self) -> str:
        """Apart from what the organizer hears as a guest, which need not wait until enough have asked."""
        return f"{super().topic}:requests"


@dataclass(frozen=True, kw_only=True)
class OrganizerNews(Message):
    """Tells the organizer how many people did what since the last time, and how things stand."""

    event: EventPayload
    asked: int
    came: int
    queued: int
    cancelled: int
    seats_taken: int
    capacity: int | None
    waiting: int

    priority = Priority.BULK

    @property
    def topic(self) -> str:
        return f"{super().topic}:news"


# ── About a seat ──────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, kw_only=True)
class SeatMessage(Message):
    """`sequence` is the event's revision: of several mails with the same, calendars apply the newest.

    `has_event_uid` is false of registrations that calendars know by a UID of their own, from an earlier release; their
    `sequence` adds the registration's revision, as it did then.

    `holds_seat` says whether the reader has, or had until now, a confirmed seat: only then is there an entry in their
    calendar to write, move or remove.
    """

    registration_id: int
    registration_url: str
    sequence: int
    event: EventPayload
    holds_seat: bool = True
    has_event_uid: bool = False

    #: METHOD of the calendar part (RFC 5546 section 1.4), or None for a mail without one.
    calendar_method: ClassVar[str | None] = None


@dataclass(frozen=True, kw_only=True)
class RegistrationPending(SeatMessage):
    """The organizer has to approve it first."""


@dataclass(frozen=True, kw_only=True)
class TicketMessage(SeatMessage):
    """Carries the ticket, which is made of these facts and a key of the deployment when the mail is sent."""

    ticket_issue: int = 1

    calendar_method = "REQUEST"


@dataclass(frozen=True, kw_only=True)
class RegistrationConfirmed(TicketMessage):
    """The reader has a seat."""


@dataclass(frozen=True, kw_only=True)
class RegistrationWaitlisted(SeatMessage):
    position: int


@dataclass(frozen=True, kw_only=True)
class RegistrationPromoted(TicketMessage):
    """A seat became free, and the reader was first on the waiting list."""

    priority = Priority.URGENT


@dataclass(frozen=True, kw_only=True)
class TicketReissued(TicketMessage):
    """The ticket was replaced; the one before is void."""

    priority = Priority.URGENT


@dataclass(frozen=True, kw_only=True)
class RegistrationDeclined(SeatMessage):
    """The organizer did not approve it, and may say why."""

    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class RegistrationCancelledByAttendee(SeatMessage):
    calendar_method = "CANCEL"


@dataclass(frozen=True, kw_only=True)
class RegistrationCancelledByOrganizer(SeatMessage):
    reason: str = ""

    calendar_method = "CANCEL"


@dataclass(frozen=True, kw_only=True)
class EventChanged(SeatMessage):
    """Date, end, place or zone moved; `event` holds what holds now, `before` what held until now."""

    before: EventPayload

    priority = Priority.BULK
    calendar_method = "REQUEST"


@dataclass(frozen=True, kw_only=True)
class EventCancelled(SeatMessage):
    reason: str = ""

    calendar_method = "CANCEL"
    priority = Priority.BULK


@dataclass(frozen=True, kw_only=True)
class EventReminder(SeatMessage):
    """Sent once, some time before the start."""

    priority = Priority.BULK


@dataclass(frozen=True, kw_only=True)
class RegistrationAdded(SeatMessage):
    """Somebody who manages the event registered the reader. `position` is that on the waiting list, for who waits."""

    by: str
    position: int | None

    calendar_method = "REQUEST"
    priority = Priority.URGENT


@dataclass(frozen=True, kw_only=True)
class SeatHandedOver(SeatMessage):
    """Tells who had the seat that a friend has taken it."""

    calendar_method = "CANCEL"


@dataclass(frozen=True, kw_only=True)
class SeatReceived(SeatMessage):
    """Tells who took over a seat."""

    giver: str

    calendar_method = "REQUEST"
    priority = Priority.URGENT


@dataclass(frozen=True, kw_only=True)
class News(SeatMessage):
    """What a manager wrote to those who come."""

    subject: str
    text: str

    priority = Priority.BULK


@dataclass(frozen=True, kw_only=True)
class TransferOffer(Message):
    """Offers somebody's seat to an address that may be nobody's."""

    transfer_id: int
    giver: str
    event: EventPayload

    priority = Priority.URGENT


@dataclass(frozen=True, kw_only=True)
class RegistrationLink(Message):
    """Lets whoever reads the address ask for a seat: somebody entered it who was not logged in."""

    first_name: str
    last_name: str
    event: EventPayload

    priority = Priority.URGENT
