"""What devices scanned without network comes to one truth, in whatever order and parts, and however often."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jointoit.accounts.callers import Caller
from jointoit.checkin import counts, door, invariants
from jointoit.checkin.models import Scan
from jointoit.checkin.reading import Presented
from tests.checkin.conftest import numbered, shown, token_of


def begin_anew():
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM checkin_scan")
        cursor.execute("DELETE FROM journal_fact WHERE type LIKE 'checkin.%'")


def truth(event, now):
    """Who is in, which scan came first, and which ones contradict it."""
    listed = door.CONFLICTS.rows(
        {"registrations": [*Scan.objects.values_list("registration_id", flat=True).distinct()]}
    )
    found = {}
    for row in listed:
        found.setdefault(row["registration_id"], []).append(row["id"])
    summary = counts.summary(event, now=now)
    assert summary["admitted"] == len(found)
    assert summary["conflicts"] == sum(len(scans) - 1 for scans in found.values())
    return {pk: (scans[0], scans[1:]) for pk, scans in found.items()}


@pytest.fixture
def guests(event, register):
    return [register(event) for _ in range(3)]


SCANS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), min_size=1, max_size=7)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=SCANS, data=st.data())
def test_order_parts_and_repetitions_change_nothing(event, guests, merge, now, made, data):
    """The law, against a model: whoever was scanned is in, by the earliest scan, and every later one contradicts it."""
    scans = [
        shown(guests[who], id=numbered(number + 1), scanned_at=now - timedelta(minutes=minutes))
        for number, (who, minutes) in enumerate(made)
    ]
    begin_anew()
    sent = data.draw(st.permutations(scans)) + data.draw(st.lists(st.sampled_from(scans), max_size=3))
    while sent:
        size = data.draw(st.integers(1, len(sent)))
        merge(*sent[:size])
        sent = sent[size:]

    expected = {}
    for scan in sorted(scans, key=lambda scan: (scan.scanned_at, scan.id)):
        [guest] = [guest for guest in guests if token_of(guest) == scan.token]
        first, later = expected.get(guest.pk, (scan.id, None))
        expected[guest.pk] = (first, [] if later is None else [*later, scan.id])
    assert truth(event, now) == expected
    assert [*invariants.violations(now=now)] == []


def test_without_the_rule_the_order_of_arrival_decides(event, guest, scan, now):
    """The control: the same two scans, each decided online as it arrives, leave one truth for each order."""
    early, late = (shown(guest, id=numbered(n), scanned_at=now - timedelta(minutes=5 - n)) for n in (1, 2))
    firsts = []
    for order in ((early, late), (late, early)):
        begin_anew()
        for each in order:
            scan(each)
        firsts.append(truth(event, now)[guest.pk][0])

    assert firsts == [early.id, late.id]


def test_the_times_of_a_device_are_corrected_by_its_clock(guest, merge, now):
    """It is an hour slow, and half a minute passed between scan and upload."""
    [row] = merge(shown(guest, scanned_at=now - timedelta(hours=1, seconds=30)), device_time=now - timedelta(hours=1))

    assert (row["scanned_at"], row["received_at"]) == (now - timedelta(seconds=30), now)


@pytest.mark.parametrize("years", [-2000, 5000])
def test_a_clock_that_is_wrong_by_centuries_is_no_fault(guest, merge, now, years):
    wrong = now.replace(year=now.year + years)

    [row] = merge(shown(guest, scanned_at=wrong), device_time=now)
    [again] = merge(shown(guest, scanned_at=now), device_time=wrong)

    assert max(row["scanned_at"], again["scanned_at"]) <= now


def test_who_was_let_in_without_network_contradicts_who_was_let_in_before(event, guest, scan, merge, now):
    online = scan(shown(guest, gate="North"))
    [offline] = merge(shown(guest, gate="South", scanned_at=now - timedelta(minutes=5)))

    assert (offline["result"], offline["reason"]) == ("refused", "already_admitted")
    assert truth(event, now) == {guest.pk: (offline["id"], [online["id"]])}
    [conflict] = door.conflicts_of([(offline, True)])
    assert [each["gate"] for each in conflict["scans"]] == ["South", "North"]


def test_a_refusal_online_contradicts_nothing(event, guest, scan, now):
    first, _ = scan(guest), scan(guest)

    assert truth(event, now) == {guest.pk: (first["id"], [])}


def test_a_conflict_ends_when_one_scan_is_taken_back(event, guest, merge, now):
    first, second = (shown(guest, id=numbered(number), scanned_at=now) for number in (1, 2))
    merge(first, second)
    door.undo(caller=Caller(event.organizer), event_id=event.pk, scan_id=first.id, now=now)

    assert truth(event, now) == {guest.pk: (second.id, [])}


def test_the_answers_come_in_the_order_of_the_scans(merge, event, register, guest):
    other = register(event)
    once = shown(guest)

    rows = merge(Presented(id=uuid4(), token="junk"), once, shown(other), once, shown(guest, id=once.id, gate="X"))

    told = [getattr(row, "code", None) or row["reason"] for row in rows]
    assert told == [
        "forged",
        None,
        None,
        None,
        "scan_id_reused",
    ]
    assert Scan.objects.count() == 3


def test_two_hundred_scans_cost_six_queries(merge, event, register, django_assert_num_queries):
    guests = [register(event) for _ in range(200)]
    scans = [shown(guest) for guest in guests]

    with django_assert_num_queries(6):
        rows = merge(*scans)

    assert {row["result"] for row in rows} == {"admitted"}
