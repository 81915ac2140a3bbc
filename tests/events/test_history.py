"""The history of an event tells who did what, replays to the present, and says nothing of persons."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from jointoit.accounts import keys
from jointoit.accounts.callers import SERVICE, Caller
from jointoit.events import booking, history, scheduling
from jointoit.events.invariants import violations
from jointoit.events.models import Event, Registration
from jointoit.journal.models import Fact
from tests.client import ServiceClient


def told(**known: Any) -> list[tuple[str, str, int | None]]:
    return list(Fact.objects.filter(**known).values_list("type", "actor_kind", "actor_id"))


def test_each_step_of_a_registration_is_a_fact_by_whoever_took_it(make_event, make_user, register, now):
    event = make_event(capacity=1, waitlist=True)
    first, second = register(event), register(event)

    booking.set_status(registration_id=first.pk, caller=Caller(first.attendee), status="cancelled", now=now)

    assert told() == [
        ("registration.confirmed", "attendee", first.attendee_id),
        ("registration.waitlisted", "attendee", second.attendee_id),
        ("registration.cancelled", "attendee", first.attendee_id),
        ("registration.promoted", "system", None),
    ]
    steps = Fact.objects.order_by("pk").values_list("before", "after")
    assert [(before and before["status"], after["status"]) for before, after in steps] == [
        (None, "confirmed"), (None, "waitlisted"), ("confirmed", "cancelled"), ("waitlisted", "confirmed"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "kind"), [("confirmed", "registration.confirmed"), ("cancelled", "registration.declined")]
)
def test_the_organizers_decision_is_theirs(make_event, register, now, status, kind):
    event = make_event(requires_approval=True)
    asked = register(event)

    booking.set_status(registration_id=asked.pk, caller=Caller(event.organizer), status=status, now=now)

    assert told(registration_id=asked.pk)[1] == (kind, "owner", event.organizer_id)


def test_the_life_of_an_event_is_told_with_what_changed(make_user, now):
    organizer = make_user()
    fields = {"title": "Launch", "location": "Berlin", "date": now + timedelta(days=9), "status": "draft"}
    event = scheduling.create(organizer=organizer, now=now, fields=fields)
    caller = {"event_id": event.pk, "caller": Caller(organizer), "now": now}
    scheduling.change(**caller, fields={"title": "Landing", "description": "Come!", "location": "Berlin"})
    scheduling.publish(**caller)
    scheduling.cancel(**caller)
    scheduling.delete(**caller)

    assert [kind for kind, _, _ in told()] == [
        "event.created", "event.changed", "event.published", "event.cancelled", "event.deleted",
    ]  # fmt: skip
    changed = Fact.objects.get(type="event.changed")
    assert (changed.before["title"], changed.after["title"], changed.after.keys()) == (
        "Launch", "Landing", {"title", "description"},
    )  # fmt: skip
    assert "Come!" not in json.dumps([*Fact.objects.values_list("before", "after")])


def test_cancelling_an_event_ends_each_registration_by_whoever_cancelled(make_event, register, now):
    event = make_event(capacity=1, waitlist=True)
    first, second = register(event), register(event)

    scheduling.cancel(event_id=event.pk, caller=Caller(event.organizer), now=now)

    ended = Fact.objects.filter(type="registration.cancelled").order_by("pk")
    assert [(fact.registration_id, fact.before["status"], fact.actor_kind) for fact in ended] == [
        (first.pk, "confirmed", "owner"), (second.pk, "waitlisted", "owner"),
    ]  # fmt: skip
    assert list(violations(now=now)) == []


def test_a_step_that_is_rolled_back_leaves_no_fact(make_event, register, now):
    event = make_event()
    with transaction.atomic():
        register(event)
        transaction.set_rollback(True)

    assert not Fact.objects.exists()


def test_what_a_key_did_is_the_keys(make_user, make_event, now):
    user = make_user()
    key, text = keys.create(user=user, name="k", scopes=["registrations:write"], password="correct-horse-9", now=now)
    event = make_event()

    answer = ServiceClient(HTTP_AUTHORIZATION=f"Bearer {text}").post(f"/events/{event.pk}/register/")

    assert answer.status_code == 201
    [fact] = Fact.objects.all()
    assert (fact.actor_kind, fact.actor_id, str(fact.request_id)) == ("key", key.pk, answer["X-Request-ID"])


# ── Reading ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_attendee_reads_organizer_and_never_who(make_event, register, signed_in, now):
    event = make_event(requires_approval=True)
    asked = register(event)
    booking.set_status(registration_id=asked.pk, caller=Caller(event.organizer), status="confirmed", now=now)

    def actors(user: Any) -> list[dict[str, Any]]:
        page = signed_in(user).get(f"/registrations/{asked.pk}/history/").json()
        return [row["actor"] for row in page["results"]]

    assert actors(asked.attendee) == [{"kind": "organizer", "id": None}, {"kind": "attendee", "id": asked.attendee_id}]
    assert actors(event.organizer)[0] == {"kind": "owner", "id": event.organizer_id}


def test_the_history_of_an_event_is_narrowed_and_paged(make_event, register, signed_in):
    event = make_event()
    registrations = [register(event) for _ in range(3)]
    client, path = signed_in(event.organizer), f"/events/{event.pk}/history/"

    page = client.get(f"{path}?page_size=2").json()
    rest = client.get(page["next"]).json()

    assert [row["registration"] for row in page["results"] + rest["results"]] == [
        each.pk for each in reversed(registrations)
    ]
    one = client.get(f"{path}?registration={registrations[1].pk}&type=registration.confirmed").json()["results"]
    assert [(row["registration"], row["type"], row["after"]) for row in one] == [
        (registrations[1].pk, "registration.confirmed", {"status": "confirmed"})
    ]


@pytest.mark.parametrize("facts", [1, 30])
def test_a_history_costs_two_queries(make_event, signed_in, django_assert_num_queries, now, facts):
    event = make_event()
    for _ in range(facts):
        Fact.objects.create(type="event.changed", at=now, actor_kind="system", event_id=event.pk)
    client = signed_in(event.organizer)

    with django_assert_num_queries(2):
        client.get(f"/events/{event.pk}/history/?page_size=100")


# ── Keeping ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_older_code_did_is_completed_by_the_service(make_event, register, now):
    known, unknown = register(make_event()), register(make_event())
    Registration.objects.filter(pk=known.pk).update(status="cancelled")  # as the release before this one does
    Event.objects.filter(pk=known.event_id).update(seats_taken=0)
    Fact.objects.filter(registration_id=unknown.pk).delete()
    assert len(list(violations(now=now))) == 2

    call_command("complete_journal", verbosity=0)

    assert list(violations(now=now)) == []
    assert told(registration_id=known.pk)[-1] == ("registration.cancelled", "system", None)
    assert history.complete(now=now) == 0


def test_a_history_that_does_not_hang_together_is_told(make_event, register, now):
    registration = register(make_event())
    Fact.objects.create(
        type="registration.promoted", at=now, actor_kind="system", event_id=registration.event_id,
        registration_id=registration.pk, before={"status": "waitlisted"}, after={"status": "confirmed"},
    )  # fmt: skip

    [line] = violations(now=now)

    assert line.startswith(f"registration {registration.pk}: fact ")


def test_events_are_forgotten_whole_once_they_have_been_over_for_long(make_event, register, settings, now):
    settings.JOURNAL_DAYS = 10
    old, young = make_event(), make_event()
    register(old), register(young)
    Event.objects.filter(pk=old.pk).update(date=now - timedelta(days=11, hours=1))

    history.prune(now)

    assert set(Fact.objects.values_list("event_id", flat=True)) == {young.pk}
    assert list(violations(now=now)) == []


def test_the_migration_gives_older_registrations_one_fact_to_start_from(make_event, register, now):
    first, second = register(make_event()), register(make_event())
    Fact.objects.filter(registration_id=second.pk).delete()
    migration = __import__("jointoit.events.migrations.0009_starting_facts", fromlist=["START"])

    with connection.cursor() as cursor:
        cursor.execute(migration.START, [0, second.pk])
        cursor.execute(migration.START, [0, second.pk])

    assert told(registration_id=second.pk) == [("registration.confirmed", "system", None)]
    assert len(told(registration_id=first.pk)) == 1


def test_no_person_is_in_the_journal(make_user, make_event, register, now):
    user = make_user(first_name="Zebedee", email="zebedee@example.net")
    event = make_event(organizer=user)
    register(event, user)
    scheduling.cancel(event_id=event.pk, caller=SERVICE, now=now)

    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(fact::text, ' ') FROM journal_fact AS fact")
        (everything,) = cursor.fetchone()

    assert [word for word in ("Zebedee", "zebedee@", user.username) if word in everything] == []
