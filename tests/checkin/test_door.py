"""Who is let in, why not, and what a repetition does."""

from datetime import timedelta
from uuid import uuid4

import pytest

from jointoit.accounts.callers import Caller, DoorKeeper
from jointoit.checkin import counts, door
from jointoit.checkin.models import Scan
from jointoit.checkin.reading import Presented
from jointoit.errors import NotFound
from jointoit.events import booking, door_passes, scheduling
from jointoit.events.models import Membership, Registration
from jointoit.events.refusals import NotYourEvent
from jointoit.journal.models import Fact
from tests.checkin.conftest import code_of, shown, token_of


def outcome(row):
    return row["result"], row["reason"]


def test_a_ticket_lets_one_person_in(scan, guest):
    first, second = scan(guest), scan(guest)

    assert [outcome(first), outcome(second)] == [("admitted", None), ("refused", "already_admitted")]
    assert second["first_scanned_at"] == first["scanned_at"]


@pytest.mark.parametrize("how", ["token", "code", "registration"])
def test_a_ticket_is_shown_typed_or_found_by_name(scan, guest, how):
    what = {"token": token_of(guest), "code": code_of(guest), "registration": guest.pk}[how]

    row = scan(Presented(id=uuid4(), **{how: what}))

    assert (outcome(row), row["registration_id"]) == (("admitted", None), guest.pk)


def test_the_same_scan_again_changes_nothing(scan, guest):
    once = shown(guest, gate="North")
    first = scan(once)

    assert door.scan_members(scan(once)) == door.scan_members(first)
    assert Scan.objects.count() == Fact.objects.filter(type="checkin.admitted").count() == 1


@pytest.mark.parametrize("other", [{"gate": "South"}, {"token": "JT1:A"}, {"scanned_at": "now"}])
def test_an_id_belongs_to_one_scan(scan, guest, now, other):
    once = shown(guest, gate="North")
    scan(once)
    changed = {**vars(once), **other} | ({"scanned_at": now} if "scanned_at" in other else {})

    with pytest.raises(door.ScanIdReused):
        scan(Presented(**changed))


def test_a_dry_run_writes_nothing(scan, guest):
    assert outcome(scan(guest, dry_run=True)) == ("admitted", None)
    assert Scan.objects.count() == 0


def test_why_somebody_is_refused(scan, event, make_event, register, now, settings):
    cancelled, replaced, stranger = register(event), register(event), register(make_event())
    pending = register(event)
    Registration.objects.filter(pk=pending.pk).update(status="pending")
    Registration.objects.filter(pk=replaced.pk).update(ticket_issue=2)
    booking.set_status(registration_id=cancelled.pk, caller=Caller(event.organizer), status="cancelled", now=now)
    cases = {
        "cancelled": shown(cancelled), "not_confirmed": shown(pending), "reissued": shown(replaced),
        "wrong_event": shown(stranger), "forged": Presented(id=uuid4(), token="https://example.org"),
        "unknown_code": Presented(id=uuid4(), code="7K2M-9QF3-8D"),
    }  # fmt: skip

    assert {outcome(scan(each))[1] for each in cases.values()} == {*cases}
    assert [outcome(scan(each))[1] for each in cases.values()] == [*cases]


def test_an_old_code_is_told_from_a_wrong_one(scan, guest):
    Registration.objects.filter(pk=guest.pk).update(ticket_issue=2)

    assert outcome(scan(Presented(id=uuid4(), code=code_of(guest))))[1] == "reissued"
    assert outcome(scan(Presented(id=uuid4(), code=code_of(guest, 2)))) == ("admitted", None)


def test_a_code_of_another_event_names_nobody(scan, make_event, register):
    stranger = register(make_event())

    row = scan(Presented(id=uuid4(), code=code_of(stranger)))

    assert (outcome(row), row["registration_id"], door.name_of(row)) == (("refused", "wrong_event"), None, None)
    assert outcome(scan(Presented(id=uuid4(), registration=stranger.pk)))[1] == "unknown_code"


@pytest.mark.parametrize(("hours", "reason"), [(-2.1, "not_open"), (-1.9, None), (4.9, None), (5.0, "not_open")])
def test_the_door_opens_three_hours_before_and_closes_at_the_end(scan, guest, now, hours, reason):
    assert outcome(scan(guest, now=now + timedelta(hours=hours)))[1] == reason


def test_the_door_opens_when_the_organizer_says(scan, event, guest, now):
    fields = {"checkin_opens_at": now + timedelta(minutes=30), "checkin_closes_at": now + timedelta(minutes=50)}
    scheduling.change(event_id=event.pk, caller=Caller(event.organizer), fields=fields, now=now)

    at = [scan(guest, now=now + timedelta(minutes=minutes))["reason"] for minutes in (29, 51, 31)]

    assert at == ["not_open", "not_open", None]


def test_nobody_is_let_into_an_event_that_is_called_off(scan, event, guest, now):
    scheduling.cancel(event_id=event.pk, caller=Caller(event.organizer), now=now)

    assert outcome(scan(guest))[1] == "event_cancelled"


def test_who_is_not_at_the_door_scans_nothing(scan, event, guest, make_user, make_event, now):
    other = make_event()
    keeper = DoorKeeper(1, other.pk)
    Membership.objects.create(
        owner=other.organizer, event=other, member=other.organizer and make_user(), role="door", since=now
    )

    for caller in (Caller(make_user()), Caller(door=keeper), Caller(guest.attendee)):
        with pytest.raises(NotYourEvent):
            scan(guest, caller=caller)


def test_a_helper_and_a_door_pass_let_people_in(scan, event, make_user, register, now):
    helper = make_user()
    Membership.objects.create(owner=event.organizer, event=None, member=helper, role="door", since=now)
    made, _ = door_passes.create(caller=Caller(event.organizer), event_id=event.pk, label="Side", now=now)
    by_helper, by_pass = register(event), register(event)

    rows = [scan(by_helper, caller=Caller(helper)), scan(by_pass, caller=Caller(door=DoorKeeper(made.pk, event.pk)))]

    assert [outcome(row)[0] for row in rows] == ["admitted"] * 2
    assert [(row["actor_kind"], row["actor_id"]) for row in rows] == [("door", helper.pk), ("door", made.pk)]


def undo(event, row, caller, now):
    door.undo(caller=caller, event_id=event.pk, scan_id=row["id"], now=now)


def test_a_scan_is_taken_back_and_the_ticket_is_good_again(scan, event, guest, now):
    first = scan(guest)
    undo(event, first, Caller(event.organizer), now)
    undo(event, first, Caller(event.organizer), now)

    assert outcome(scan(guest)) == ("admitted", None)
    assert Fact.objects.filter(type="checkin.undone").count() == 1


def test_who_is_at_the_door_takes_back_own_scans_for_ten_minutes(scan, event, guest, make_user, now):
    helper, other = make_user(), make_user()
    for user in (helper, other):
        Membership.objects.create(owner=event.organizer, event=event, member=user, role="door", since=now)
    row = scan(guest, caller=Caller(helper))

    with pytest.raises(NotFound):
        undo(event, row, Caller(other), now)
    with pytest.raises(door.TooLateToUndo):
        undo(event, row, Caller(helper), now + timedelta(minutes=10, seconds=1))
    undo(event, row, Caller(helper), now + timedelta(minutes=10))

    assert counts.summary(event, now=now)["admitted"] == 0


def test_the_journal_tells_of_scans_without_names(scan, event, guest, now):
    row = scan(guest)
    scan(shown(guest))
    undo(event, row, Caller(event.organizer), now)

    told = [(fact.type, fact.registration_id) for fact in Fact.objects.filter(type__startswith="checkin.")]
    assert told == [(f"checkin.{what}", guest.pk) for what in ("admitted", "refused", "undone")]


def test_the_figures_of_a_door(scan, event, register, now):
    north, south = register(event), register(event)
    scan(shown(north, gate="North"))
    scan(shown(north, gate="South"))
    scan(shown(south, gate="South"))

    found = counts.summary(event, now=now)

    assert {name: found[name] for name in ("confirmed", "admitted", "refused", "conflicts")} == {
        "confirmed": 2, "admitted": 2, "refused": 1, "conflicts": 0,
    }  # fmt: skip
    assert [(gate["gate"], gate["admitted"], gate["refused"]) for gate in found["gates"]] == [
        ("North", 1, 0), ("South", 1, 1),
    ]  # fmt: skip
