"""Takes every step of the table in docs/registrations.md, so that the table is what the service does."""

from pathlib import Path

import pytest

from jointoit.accounts.callers import Caller
from jointoit.accounts.models import User
from jointoit.errors import DomainError
from jointoit.events import booking
from jointoit.events.models import Event, Registration

TABLE = Path(__file__).parents[2] / "docs" / "registrations.md"


def rows() -> list[tuple[str, ...]]:
    lines = TABLE.read_text().split("| from |")[1].split("\n\n")[0].splitlines()[2:]
    return [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines]


def bring_to(start: str, event: Event, attendee: User, register) -> Registration | None:
    """Give the attendee a registration of that status, by the verbs alone."""
    if start == "–":
        return None
    registration: Registration = register(event, attendee)
    if start == "cancelled":
        booking.remove(registration_id=registration.pk, caller=Caller(event.organizer), now=registration.registered_at)
        registration.refresh_from_db()
    assert registration.status == start
    return registration


def prepare(start: str, situation: str, make_event, make_user, register) -> tuple[Event, User, Registration | None]:
    words = situation.split("+")
    event = make_event(capacity=1 if "full" in words else 9, waitlist="list" in words)
    if "full" in words:
        register(event)
    Event.objects.filter(pk=event.pk).update(requires_approval="approval" in words)
    attendee = make_user()
    return event, attendee, bring_to(start, event, attendee, register)


def take(step: str, event: Event, attendee: User, actor: User, registration: Registration | None, now) -> str:
    """Take the step and return where it led: a status, or the code of the refusal."""
    try:
        if step == "register":
            return booking.register(event_id=event.pk, attendee=attendee, now=now).status
        assert registration is not None
        if step == "delete":
            booking.remove(registration_id=registration.pk, caller=Caller(actor), now=now)
        else:
            booking.set_status(registration_id=registration.pk, caller=Caller(actor), status=step, now=now)
    except DomainError as refusal:
        return refusal.code
    registration.refresh_from_db()
    return registration.status


@pytest.mark.parametrize(("start", "who", "step", "situation", "result", "mail"), rows())
def test_each_step_leads_where_the_table_says(
    make_event, make_user, register, mails, now, start, who, step, situation, result, mail
):
    event, attendee, registration = prepare(start, situation, make_event, make_user, register)
    actor = {"attendee": attendee, "organizer": event.organizer, "stranger": make_user()}[who]
    told_before = len(mails(attendee))

    assert take(step, event, attendee, actor, registration, now) == result

    assert mails(attendee)[told_before:] == ([] if mail == "–" else [mail])


def test_the_table_knows_every_status_and_every_step():
    assert {row[0] for row in rows()} == {"–", *Registration.Status.values}
    assert {row[2] for row in rows()} == {"register", "delete", *Registration.Status.values}
    assert {row[1] for row in rows()} == {"attendee", "organizer", "stranger"}
