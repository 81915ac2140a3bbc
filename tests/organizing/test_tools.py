"""Announcements, guests, copies, transfers, many at once, mails again, figures."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db.models import Q

from jointoit.accounts import export
from jointoit.accounts.callers import SERVICE, Caller, DoorKeeper
from jointoit.accounts.models import User
from jointoit.accounts.passwords import WrongPassword
from jointoit.accounts.tokens import DeadToken
from jointoit.checkin import door
from jointoit.checkin.reading import Presented
from jointoit.checkin.tickets import AlreadyAdmitted
from jointoit.errors import ManyInvalid, TooOften
from jointoit.events import booking, door_passes, questions
from jointoit.events.invariants import violations
from jointoit.events.models import DoorPass, Event, Registration
from jointoit.events.refusals import AlreadyRegistered, EventFull, ImpossibleStep, TooLateToCancel, TooManyEvents
from jointoit.events.team import OtherAddress
from jointoit.journal.models import Fact
from jointoit.mail import rendering
from jointoit.mail.links import BadToken
from jointoit.mail.models import OutboxMail
from jointoit.mail.payload import load
from jointoit.organizing import announcements, duplication, guests, resending, steps, transfers
from jointoit.organizing.transfers import NoTicket, ToYourself, TransferOpen, TransfersClosed

DAY = timedelta(days=1)


def announce(event: Event, now: datetime, **values: Any) -> Any:
    words = {"subject": "The room", "text": "Second floor.", "to": ["confirmed"]}
    return announcements.announce(caller=SERVICE, event_id=event.pk, now=now, **words | values)


# ── Announcements ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_announcement_reaches_each_of_those_it_is_for_once(make_event, register, now):
    event = make_event(capacity=2, waitlist=True)
    here = [register(event) for _ in range(2)]
    register(event)

    made = announce(event, now)

    mails = OutboxMail.objects.filter(kind="news")
    assert sorted(mails.values_list("recipient", flat=True)) == sorted(each.attendee.email for each in here)
    assert (made.recipients, announcements.progress([made.pk])) == (
        2,
        {made.pk: {"sent": 0, "waiting": 2, "failed": 0}},
    )


def test_how_far_many_announcements_have_come_costs_one_query(make_event, register, now, django_assert_num_queries):
    event = make_event()
    register(event)
    first, second, nobody = announce(event, now), announce(event, now), announce(event, now, to=["waitlisted"])
    OutboxMail.objects.filter(dedupe_key__startswith=f"announcement:{first.pk}:").update(state="failed")

    with django_assert_num_queries(1):
        found = announcements.progress([first.pk, second.pk, nobody.pk])

    fates = [found[each.pk] for each in (first, second, nobody)]
    assert [tuple(fate.values()) for fate in fates] == [(0, 0, 1), (0, 1, 0), (0, 0, 0)]
    assert announcements.progress([]) == {}


@pytest.mark.parametrize(
    ("to", "names"),
    [
        (["admitted"], ["came"]), (["absent"], ["away", "undone"]), (["pending", "admitted"], ["asks", "came"]),
        (["admitted", "absent"], ["away", "came", "undone"]),
    ],
)  # fmt: skip
def test_who_came_and_who_did_not_are_written_to_apart(make_event, make_user, register, now, to, names):
    event = make_event(date=now)
    seats = {name: register(event, make_user(username=name), now=now - DAY) for name in ("came", "away", "undone")}
    Event.objects.filter(pk=event.pk).update(requires_approval=True)
    register(event, make_user(username="asks"), now=now - DAY)
    for name in ("came", "undone"):
        scan = Presented(id=uuid4(), registration=seats[name].pk)
        door.admit(caller=Caller(event.organizer), event_id=event.pk, scan=scan, now=now)
    door.undo(caller=Caller(event.organizer), event_id=event.pk, scan_id=scan.id, now=now)

    found = announcements.recipients(event, to).values_list("attendee__username", flat=True)

    assert sorted(found) == names


def test_a_fourth_announcement_within_a_day_waits(make_event, now):
    event = make_event()
    for hour in range(3):
        announce(event, now + timedelta(hours=hour))

    with pytest.raises(TooOften) as refused:
        announce(event, now + timedelta(hours=3))

    assert refused.value.retry_after == 21 * 3600
    assert announce(event, now + DAY).recipients == 0


# ── Guests ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def add(event: Event, now: datetime, **values: Any) -> Registration:
    return guests.add(caller=SERVICE, event_id=event.pk, now=now, **{"email": "joan@example.org"} | values)


def test_who_is_added_has_a_seat_and_a_mail_also_where_registration_is_closed(make_event, now):
    event = make_event(capacity=1, registration_closes_at=now - DAY)

    added = add(event, now, first_name="Joan")

    event.refresh_from_db()
    assert (added.status, event.seats_taken, added.attendee.has_usable_password()) == ("confirmed", 1, False)
    assert list(OutboxMail.objects.values_list("recipient", "kind")) == [("joan@example.org", "registration_added")]
    assert list(violations(now=now)) == []


def test_who_has_an_account_is_added_with_it(make_event, make_user, now):
    known = make_user(email="JOAN@example.org", first_name="Hers")

    added = add(make_event(), now, first_name="Other")

    assert (added.attendee.pk, added.attendee.first_name) == (known.pk, "Hers")


def test_the_capacity_holds_for_guests_too(make_event, register, now):
    event = make_event(capacity=1)
    register(event)

    with pytest.raises(EventFull):
        add(event, now)

    Event.objects.filter(pk=event.pk).update(waitlist=True)
    assert add(event, now).status == "waitlisted"
    with pytest.raises(EventFull):
        add(event, now, email="other@example.org", status="confirmed")
    with pytest.raises(AlreadyRegistered):
        add(event, now)


def test_nobody_is_added_without_the_answers_that_are_required(make_event, now):
    event = make_event()
    fields = {"label": "Food?", "type": "text", "required": True}
    asked = questions.add(caller=SERVICE, event_id=event.pk, fields=fields, now=now)

    with pytest.raises(ManyInvalid):
        add(event, now)

    assert add(event, now, answered={str(asked.pk): "all"}).answers == {str(asked.pk): "all"}


# ── Copies ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_copy_is_a_draft_whose_times_move_along_by_the_clock(make_event, register, now):
    event = make_event(
        timezone="Europe/Berlin", date=datetime(2099, 3, 10, 17, tzinfo=UTC),
        ends_at=datetime(2099, 3, 10, 19, tzinfo=UTC),
        registration_closes_at=datetime(2099, 3, 9, 11, tzinfo=UTC), tags=["x"],
    )  # fmt: skip
    questions.add(caller=SERVICE, event_id=event.pk, fields={"label": "Food?", "type": "text"}, now=now)
    register(event)

    made = duplication.duplicate(caller=SERVICE, event_id=event.pk, date=datetime(2099, 4, 10, 16, tzinfo=UTC), now=now)

    made.refresh_from_db()
    assert (made.status, made.seats_taken, made.tags, made.question_count) == ("draft", 0, ["x"], 1)
    assert made.ends_at == datetime(2099, 4, 10, 18, tzinfo=UTC)
    assert made.registration_closes_at == datetime(2099, 4, 9, 10, tzinfo=UTC)  # noon in Berlin, as before
    assert [question.label for question in made.questions.all()] == ["Food?"]


def test_a_copy_is_for_the_same_people_at_the_same_door(make_event, now):
    door_times = {"checkin_opens_at": now + 29 * DAY, "checkin_closes_at": now + 31 * DAY}
    event = make_event(timezone="UTC", date=now + 30 * DAY, verified_only=True, **door_times)

    made = duplication.duplicate(caller=SERVICE, event_id=event.pk, date=event.date + 7 * DAY, now=now)

    assert (made.verified_only, made.checkin_opens_at, made.checkin_closes_at) == (True, now + 36 * DAY, now + 38 * DAY)


def test_a_copy_counts_among_the_events_that_are_open(make_event, now, settings):
    settings.MAX_OPEN_EVENTS = 2
    event = make_event()
    made = duplication.duplicate(caller=SERVICE, event_id=event.pk, date=event.date, now=now)

    with pytest.raises(TooManyEvents):
        duplication.duplicate(caller=SERVICE, event_id=made.pk, date=event.date, now=now)

    assert Event.objects.filter(organizer=event.organizer).count() == 2


@pytest.mark.parametrize("length", [400 * DAY, 30 * DAY + timedelta(hours=1)])
def test_a_copy_whose_other_times_cannot_be_kept_is_refused(make_event, now, length):
    event = make_event(timezone="UTC", date=now + DAY, ends_at=now + DAY + length)

    with pytest.raises(duplication.TooFarAway) as refused:
        duplication.duplicate(caller=SERVICE, event_id=event.pk, date=datetime(9998, 12, 1, tzinfo=UTC), now=now)

    assert (refused.value.field, Event.objects.count()) == ("date", 1)


# ── Transfers ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def friend(make_user: Callable[..., User]) -> User:
    return make_user(username="friend", email="friend@example.net", email_verified=True)


@pytest.fixture
def offer(make_event: Any, register: Any, now: datetime) -> Any:
    def offer(email: str = "friend@example.net", **fields: Any) -> Any:
        held = register(make_event(capacity=1, waitlist=True, allow_transfers=True, **fields))
        return transfers.offer(caller=Caller(held.attendee), registration_id=held.pk, email=email, now=now)

    return offer


def test_a_seat_goes_to_the_friend_and_nobody_who_waits_is_moved(offer, friend, register, now):
    transfer = offer()
    given, waiting = transfer.registration, register(transfer.registration.event)

    received = transfers.accept(user=friend, transfer_id=transfer.pk, now=now)

    given.refresh_from_db()
    waiting.refresh_from_db()
    event = Event.objects.get(pk=given.event_id)
    assert (given.status, received.status, waiting.status, event.seats_taken) == (
        "cancelled",
        "confirmed",
        "waitlisted",
        1,
    )
    assert set(OutboxMail.objects.values_list("kind", flat=True)) >= {
        "transfer_offer",
        "seat_handed_over",
        "seat_received",
    }
    assert list(violations(now=now)) == []


def test_an_offer_is_accepted_once_and_by_whom_it_is_for(offer, friend, make_user, now):
    transfer = offer()

    with pytest.raises(OtherAddress):
        transfers.accept(user=make_user(), transfer_id=transfer.pk, now=now)
    transfers.accept(user=friend, transfer_id=transfer.pk, now=now)
    with pytest.raises(BadToken):
        transfers.accept(user=friend, transfer_id=transfer.pk, now=now)


def test_a_seat_that_was_given_up_is_not_there_to_be_accepted(offer, friend, now):
    transfer = offer()
    held = transfer.registration
    booking.set_status(registration_id=held.pk, caller=Caller(held.attendee), status="cancelled", now=now)

    with pytest.raises(NoTicket):
        transfers.accept(user=friend, transfer_id=transfer.pk, now=now)


def test_who_has_a_seat_takes_no_other(offer, friend, register, now):
    transfer = offer(requires_approval=False)
    Event.objects.filter(pk=transfer.registration.event_id).update(capacity=2)
    register(Event.objects.get(pk=transfer.registration.event_id), friend)

    with pytest.raises(AlreadyRegistered):
        transfers.accept(user=friend, transfer_id=transfer.pk, now=now)


def test_a_declined_or_withdrawn_offer_is_over(offer, friend, now):
    declined, withdrawn = offer(), offer()
    transfers.decline(user=friend, transfer_id=declined.pk, now=now)
    held = withdrawn.registration
    transfers.withdraw(caller=Caller(held.attendee), registration_id=held.pk, now=now)

    for transfer in (declined, withdrawn):
        with pytest.raises(BadToken):
            transfers.accept(user=friend, transfer_id=transfer.pk, now=now)


def test_what_stands_against_an_offer(offer, make_event, register, now):
    transfer = offer()
    held = transfer.registration
    mine = {"caller": Caller(held.attendee), "registration_id": held.pk, "now": now}

    with pytest.raises(TransferOpen):
        transfers.offer(**mine, email="other@example.net")
    with pytest.raises(ToYourself):
        transfers.offer(**mine, email=held.attendee.email.upper())
    with pytest.raises(TransfersClosed):
        transfers.offer(**mine | {"now": held.event.date}, email="other@example.net")
    other = register(make_event())
    with pytest.raises(TransfersClosed):
        transfers.offer(caller=Caller(other.attendee), registration_id=other.pk, email="x@example.net", now=now)


def test_a_seat_lets_one_person_in_and_is_not_handed_on_after_that(offer, friend, now):
    transfer = offer(checkin_opens_at=now - DAY)
    held = transfer.registration
    scan = Presented(id=uuid4(), registration=held.pk)
    by = {"caller": Caller(held.event.organizer), "event_id": held.event_id}
    door.admit(**by, scan=scan, now=now)

    with pytest.raises(AlreadyAdmitted):
        transfers.offer(caller=Caller(held.attendee), registration_id=held.pk, email="x@example.net", now=now)
    with pytest.raises(AlreadyAdmitted):
        transfers.accept(user=friend, transfer_id=transfer.pk, now=now)
    door.undo(**by, scan_id=scan.id, now=now)
    assert transfers.accept(user=friend, transfer_id=transfer.pk, now=now).status == "confirmed"


def test_an_account_that_was_closed_meanwhile_takes_no_seat(offer, friend, now):
    transfer = offer()
    User.objects.filter(pk=friend.pk).update(is_active=False)

    with pytest.raises(DeadToken):
        transfers.accept(user=friend, transfer_id=transfer.pk, now=now)

    assert not Registration.objects.filter(attendee=friend).exists()


def test_an_offer_knows_whether_somebody_has_shown_to_read_its_address(offer, friend):
    offer("stranger@example.net")
    offer(friend.email.upper())

    told = OutboxMail.objects.filter(kind="transfer_offer").order_by("pk")
    assert [mail.payload["to"]["verified"] for mail in told] == [False, True]


# ── One and many ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_each_of_many_steps_has_its_own_outcome(make_event, register, now):
    event = make_event(capacity=1, requires_approval=True)
    first, second, elsewhere = register(event), register(event), register(make_event())
    step = {"caller": SERVICE, "event_id": event.pk, "now": now}

    outcomes = steps.take(**step, ids=[first.pk, second.pk, elsewhere.pk, first.pk], status="confirmed")

    assert [(each["id"], each["status"], each["code"]) for each in outcomes] == [
        (first.pk, "confirmed", None), (second.pk, None, "event_full"), (elsewhere.pk, None, "not_found"),
    ]  # fmt: skip


def test_a_reason_is_told_in_the_mail(make_event, register, now):
    event = make_event(requires_approval=True)
    pending = register(event)

    steps.take(caller=SERVICE, event_id=event.pk, ids=[pending.pk], status="cancelled", reason="Too late.", now=now)

    assert OutboxMail.objects.get(kind="registration_declined").payload["reason"] == "Too late."


def test_the_reason_for_calling_an_event_off_is_told_and_kept_nowhere_else(make_event, register, signed_in, make_user):
    event = make_event()
    register(event, make_user(email_verified=False))
    body = {"reason": "The hall burnt down: see bad.example <b>now</b>"}

    answer = signed_in(event.organizer).post(f"/events/{event.pk}/cancel/", body)
    too_long = signed_in(event.organizer).post(f"/events/{event.pk}/cancel/", {"reason": "x" * 501})

    mail = OutboxMail.objects.get(kind="event_cancelled")
    content = rendering.write(load(mail.kind, mail.payload))
    assert (answer.status_code, too_long.status_code) == (200, 400)
    assert "see bad[.]example <b>now</b>" in content.text  # nobody has verified the address
    assert "see bad[.]example &lt;b&gt;now&lt;/b&gt;" in content.html
    assert not Fact.objects.filter(Q(after__icontains="burnt") | Q(before__icontains="burnt")).exists()


def test_after_the_organizers_time_an_attendee_does_not_cancel_and_the_organizer_does(make_event, register, now):
    event = make_event(cancel_until=now - DAY)
    held = register(event)
    step = {"registration_id": held.pk, "status": "cancelled", "now": now}

    with pytest.raises(TooLateToCancel):
        booking.set_status(caller=Caller(held.attendee), **step)
    booking.set_status(caller=Caller(event.organizer), **step)

    held.refresh_from_db()
    assert held.status == "cancelled"


def test_the_present_mail_is_sent_again_three_times_a_day(make_event, register, now):
    event = make_event(capacity=1, waitlist=True)
    register(event)
    waiting = register(event)
    again = {"caller": Caller(waiting.attendee), "registration_id": waiting.pk}
    for _ in range(3):
        resending.send_again(**again, now=datetime.now(UTC))

    with pytest.raises(TooOften):
        resending.send_again(**again, now=datetime.now(UTC))
    resending.send_again(**again | {"caller": Caller(event.organizer)}, now=datetime.now(UTC))

    mails = OutboxMail.objects.filter(kind="registration_waitlisted", recipient=waiting.attendee.email)
    assert [mail.payload["position"] for mail in mails] == [1] * 5


def test_what_has_ended_has_no_mail_to_send_again(make_event, register, now):
    held = register(make_event())
    booking.set_status(registration_id=held.pk, caller=SERVICE, status="cancelled", now=now)

    with pytest.raises(ImpossibleStep):
        resending.send_again(caller=Caller(held.attendee), registration_id=held.pk, now=now)


# ── Everything about oneself ──────────────────────────────────────────────────────────────────────────────────────────


def test_an_export_has_the_account_and_what_it_did(make_user, make_event, register, now):
    ada = make_user(username="ada", email="ada@example.org", email_verified=True)
    held = register(make_event(organizer=ada), ada)

    document = export.export(user=ada, password="correct-horse-9", now=now)

    assert document["account"]["email"] == "ada@example.org"
    assert [row["id"] for row in document["registrations"]] == [held.pk]
    assert [row["kind"] for row in document["mails"]] == ["registration_confirmed"]
    assert {row["type"] for row in document["history"]} >= {"registration.confirmed"}


def test_an_export_has_nothing_of_the_door_pass_with_the_number_of_the_account(make_user, make_event, register, now):
    ada, event = make_user(), make_event(date=now)
    made, _text = door_passes.create(caller=SERVICE, event_id=event.pk, label="Left", now=now)
    DoorPass.objects.filter(pk=made.pk).update(id=ada.pk)
    for caller in (Caller(door=DoorKeeper(ada.pk, event.pk)), Caller(event.organizer)):
        scan = Presented(id=uuid4(), registration=register(event, now=now - DAY).pk)
        door.admit(caller=caller, event_id=event.pk, scan=scan, now=now)

    of_ada, of_owner = (export.document(user)["history"] for user in (ada, event.organizer))

    assert [row["type"] for row in of_ada] == []
    assert [row["type"] for row in of_owner if row["registration_id"]] == ["checkin.admitted"]


def test_an_export_takes_the_password(make_user, now):
    with pytest.raises(WrongPassword):
        export.export(user=make_user(), password="wrong", now=now)
