"""One of each mail, all about one event: Ada in Berlin goes to a meeting in New York."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from jointoit.mail import messages as m
from jointoit.mail import payload

ADA = m.Person(address="ada@example.org", name="Ada Lovelace", timezone="Europe/Berlin")
MEETING = m.EventPayload(
    id=5,
    title="Looms & <b>Engines</b>",
    date=datetime(2026, 12, 4, 18, 0, 0, 123456, tzinfo=UTC),
    ends_at=datetime(2026, 12, 4, 20, 30, tzinfo=UTC),
    timezone="America/New_York",
    location="12 St James's Square",
    url="https://events.example/events/5/",
    organizer_name="Charles Babbage",
    organizer_address="private@example.net",
    revision=2,
)
BEFORE = replace(
    MEETING,
    date=datetime(2026, 11, 27, 18, 0, tzinfo=UTC),
    ends_at=datetime(2026, 11, 27, 20, 30, tzinfo=UTC),
    location="Elsewhere",
)
ABOUT_ACCOUNT = {"user_id": 3, "token_epoch": 1}
ABOUT_SEAT = {
    "registration_id": 7,
    "registration_url": "https://events.example/registrations/7/",
    "sequence": 2,
    "has_event_uid": True,
}
ABOUT_OFFER = {"invitation_id": 4, "inviter": "Charles Babbage", "expires_at": datetime(2026, 11, 30, 9, 0, tzinfo=UTC)}
ALSO: dict[type[m.Message], dict[str, Any]] = {
    m.TeamInvitation: ABOUT_OFFER | {"role": "manager"},
    m.HandoverInvitation: ABOUT_OFFER,
    m.HandoverAccepted: {"new_owner": "Grace Hopper"},
    m.EventHandedOver: {"old_owner": "Charles Babbage"},
    m.WebhookFailing: {"webhook_id": 3, "host": "crm.example.org"},
    m.WebhookDisabled: {"webhook_id": 3, "host": "crm.example.org"},
    m.HeldMails: {"number": 3},
    m.EmailChangeAsked: {"new_address_masked": "a…@example.com", "agree": "0123456789abcdef", "can_stop": True},
    m.EmailChanged: {"new_address_masked": "a…@example.com", "can_stop": True},
    m.UsernameChanged: {"old_username": "ada", "can_stop": True},
    m.EventChanged: {"before": BEFORE},
    m.RegistrationWaitlisted: {"position": 6},
    m.RegistrationAdded: {"by": "Charles Babbage", "position": None},
    m.SeatReceived: {"giver": "Charles Babbage"},
    m.News: {"subject": "Another room", "text": "We meet upstairs.\nSee you there!"},
    m.OrganizerNews: {
        "asked": 2,
        "came": 5,
        "queued": 1,
        "cancelled": 1,
        "seats_taken": 17,
        "capacity": 20,
        "waiting": 0,
    },
    m.TransferOffer: {"transfer_id": 8, "giver": "Charles Babbage"},
    m.RegistrationLink: {"first_name": "Ada", "last_name": "Lovelace"},
}
KINDS = payload.kinds()


def sample(cls: type[m.Message], **fields: Any) -> Any:
    known: dict[str, Any] = {"to": ADA} | ALSO.get(cls, {})
    if issubclass(cls, m.AccountMessage):
        known |= ABOUT_ACCOUNT
    elif "event" in cls.__dataclass_fields__:
        known |= {"event": MEETING} | (ABOUT_SEAT if issubclass(cls, m.SeatMessage) else {})
    return cls(**known | fields)
