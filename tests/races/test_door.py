"""One ticket lets one in, whoever scans, cancels or replaces it at the same moment; beside each race its control."""

from collections import Counter
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction

from jointoit.accounts.callers import Caller, DoorKeeper
from jointoit.accounts.tokens import DeadToken
from jointoit.checkin import counts, door, invariants, tickets
from jointoit.checkin.models import STANDS, Scan
from jointoit.events import booking, door_passes, team
from jointoit.events.models import Membership
from jointoit.journal.models import Fact
from tests.checkin.conftest import shown
from tests.races.conftest import SCALE

pytestmark = pytest.mark.django_db(transaction=True)
PHONES, ROUNDS = 25, 6 * SCALE


@pytest.fixture
def event(make_event, now):
    return make_event(date=now + timedelta(hours=1))


@pytest.fixture
def guest(event, register):
    return register(event)


def admit(event, guest, now, caller=None):
    return door.admit(caller=caller or Caller(event.organizer), event_id=event.pk, scan=shown(guest), now=now)[0]


def check_then_insert(event, guest, now):
    """As it is often written: look whether somebody is in, then let in."""
    with transaction.atomic():
        is_in = Scan.objects.filter(STANDS, registration=guest.pk).exists()
        result = {"result": "refused", "reason": "already_admitted"} if is_in else {"result": "admitted"}
        return Scan.objects.create(
            id=uuid4(), event=event, registration=guest, entered=not is_in, scanned_at=now, received_at=now,
            actor_kind="owner", content="", **result,
        )  # fmt: skip


@contextmanager
def without_the_wall():
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = 'scan_one_admission'")
        (definition,) = cursor.fetchone()
        cursor.execute("DROP INDEX scan_one_admission")
        yield
        cursor.execute("DELETE FROM checkin_scan")
        cursor.execute(definition)


def test_one_ticket_scanned_by_many_phones_at_once_lets_one_in(event, register, race, now):
    for _ in range(4 * SCALE):
        guest = register(event)
        rows = race([partial(admit, event, guest, now)] * PHONES)

        assert Counter(row["result"] for row in rows) == {"admitted": 1, "refused": PHONES - 1}
        [admitted] = [row for row in rows if row["result"] == "admitted"]
        named = {row["first_id"] for row in rows if row["result"] == "refused"}
        assert named == {admitted["id"]}
    assert [*invariants.violations(now=now)] == []


def test_check_then_insert_lets_in_more(event, guest, race, now):
    """The control."""
    with without_the_wall():
        race([partial(check_then_insert, event, guest, now)] * PHONES)

        assert Scan.objects.filter(STANDS).count() > 1


def test_the_index_is_a_wall_behind_the_lock(event, guest, race, now):
    def tried():
        try:
            return check_then_insert(event, guest, now).result
        except IntegrityError:
            return "wall"

    answers = Counter(race([tried] * PHONES))

    assert answers["admitted"] == 1
    assert answers["wall"] > 0


def cancel(event, guest, now):
    booking.set_status(registration_id=guest.pk, caller=Caller(event.organizer), status="cancelled", now=now)


def order_of(guest):
    """The facts about somebody, in the order in which they became true."""
    return [*Fact.objects.filter(registration_id=guest.pk).order_by("pk").values_list("type", flat=True)][1:]


def test_a_ticket_is_void_the_moment_it_is_cancelled(event, register, race, now):
    seen = set()
    for _ in range(ROUNDS):
        guest = register(event)
        row, _ = race([partial(admit, event, guest, now), partial(cancel, event, guest, now)])
        admitted_first = ["checkin.admitted", "registration.cancelled"]
        refused_after = ["registration.cancelled", "checkin.refused"]

        assert order_of(guest) == (admitted_first if row["result"] == "admitted" else refused_after)
        seen.add(row["reason"])
    assert seen <= {None, "cancelled"}


def test_without_holding_the_registration_a_void_ticket_lets_in(event, guest, now):
    """The control: looked at, cancelled meanwhile, and let in."""
    keeper = door.keeper_of(Caller(event.organizer), event.pk)
    batch = door.Batch(keeper, [shown(guest)], now=now)
    batch.decide(door.LOOK)
    cancel(event, guest, now)
    batch.write()

    assert order_of(guest) == ["registration.cancelled", "checkin.admitted"]


def test_a_ticket_lets_in_or_is_replaced(event, register, race, now):
    for _ in range(ROUNDS):
        guest = register(event)
        replace = partial(tickets.reissue, registration_id=guest.pk, caller=Caller(guest.attendee), now=now)
        row, replaced = race([partial(admit, event, guest, now), replace])

        assert isinstance(replaced, tickets.AlreadyAdmitted) is (row["result"] == "admitted")
        assert row["reason"] in (None, "reissued")


def test_who_is_promoted_is_let_in_from_then_on(make_event, register, race, now):
    for _ in range(ROUNDS):
        event = make_event(date=now + timedelta(hours=1), capacity=1, waitlist=True)
        held, waiting = register(event), register(event)
        row, _ = race([partial(admit, event, waiting, now), partial(cancel, event, held, now)])

        assert row["reason"] in (None, "not_confirmed")
        assert admit(event, waiting, now)["reason"] == (None if row["reason"] else "already_admitted")


def test_the_same_batch_from_two_connections_is_written_once(event, register, race, now):
    scans = [shown(register(event)) for _ in range(5)] + [shown(register(event), token="junk") for _ in range(5)]
    hand_in = partial(
        door.merge, caller=Caller(event.organizer), event_id=event.pk, scans=scans, device_time=now, now=now
    )

    answers = race([hand_in] * 8)

    told = {tuple((row["id"], row["result"], row["reason"]) for row, _ in each) for each in answers}
    assert (len(told), Scan.objects.count()) == (1, 10)
    assert sum(is_new for each in answers for _, is_new in each) == 10


def test_nobody_scans_with_a_role_after_it_was_taken(event, make_user, register, race, now):
    for _ in range(ROUNDS):
        helper = make_user()
        role = Membership.objects.create(owner=event.organizer, event=event, member=helper, role="door", since=now)
        takes = partial(team.remove, caller=Caller(event.organizer), event_id=event.pk, membership_id=role.pk, now=now)

        race([*(partial(admit, event, register(event), now, Caller(helper)) for _ in range(15)), takes])

        end = Fact.objects.filter(event_id=event.pk, type="team.changed").latest("pk")
        assert not Fact.objects.filter(type__startswith="checkin.", actor_id=helper.pk, pk__gt=end.pk).exists()


def test_nobody_scans_with_a_pass_that_was_ended(event, register, race, now):
    made, _ = door_passes.create(caller=Caller(event.organizer), event_id=event.pk, label="Side", now=now)
    caller = Caller(door=DoorKeeper(made.pk, event.pk))
    end = partial(door_passes.revoke, caller=Caller(event.organizer), event_id=event.pk, pass_id=made.pk, now=now)

    def scan_until_refused():
        guest = register(event)
        return admit(event, guest, now, caller)

    race([*[scan_until_refused] * 15, end])

    with pytest.raises(DeadToken):
        admit(event, register(event), now, caller)
    assert counts.summary(event, now=now)["admitted"] == Scan.objects.filter(STANDS).count()
