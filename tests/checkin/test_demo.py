"""The data set for looking around, and what `check_invariants` says of the door."""

import re

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from jointoit.checkin import counts
from jointoit.checkin.demo import TITLE
from jointoit.events.models import Event


def test_the_demo_has_a_door_that_is_half_filled(db, now, capsys):
    call_command("demo")
    found = counts.summary(Event.objects.get(title=TITLE), now=now)

    assert {name: found[name] for name in ("confirmed", "admitted", "refused", "conflicts")} == {
        "confirmed": 16, "admitted": 8, "refused": 2, "conflicts": 1,
    }  # fmt: skip
    call_command("check_invariants")
    assert "Every invariant holds." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        ("DELETE FROM journal_fact WHERE type LIKE 'checkin.%'", r"event \d+: 1 scans, 0 facts"),
        ("UPDATE checkin_scan SET scanned_at = received_at + interval '1 s'", r"scan \S+: made after it arrived"),
        ("UPDATE checkin_scan SET event_id = (SELECT min(id) FROM events_event)", r"scan \S+: of event \d+, its reg"),
    ],
)
def test_a_door_that_is_not_as_promised_is_named(make_event, scan, guest, capsys, damage, sentence):
    make_event(pk=1)
    scan(guest)
    with connection.cursor() as cursor:
        cursor.execute(damage)

    with pytest.raises(CommandError):
        call_command("check_invariants")

    assert re.search(sentence, capsys.readouterr().out)


def test_an_admission_that_stands_twice_is_named(scan, guest, capsys):
    scan(guest)
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX scan_one_admission")
        cursor.execute(
            "INSERT INTO checkin_scan SELECT (jsonb_populate_record(scan, "
            "jsonb_build_object('id', gen_random_uuid()))).* FROM checkin_scan AS scan"
        )

    with pytest.raises(CommandError):
        call_command("check_invariants")

    assert re.search(r"registration \d+: admitted 2 times", capsys.readouterr().out)
