"""Staff act through the same rules as everybody, and a refusal is a sentence on the page."""

from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.urls import reverse

from jointoit.accounts import keys
from jointoit.events.models import Event
from jointoit.mail.models import OutboxMail


@pytest.fixture
def staff(make_user: Any) -> Client:
    client = Client()
    client.force_login(make_user(is_staff=True, is_superuser=True))
    return client


def form_of(event: Event, **changes: Any) -> dict[str, Any]:
    """What the change form sends when nothing but `changes` is typed."""
    form: dict[str, Any] = {
        "title": event.title,
        "location": event.location,
        "description": "",
        "timezone": event.timezone,
        "tags": "",
    }
    form |= {"date_0": f"{event.date:%Y-%m-%d}", "date_1": f"{event.date:%H:%M:%S}", "capacity": event.capacity or ""}
    form["organizer_news"] = event.organizer_news
    form |= {"memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0}
    return form | changes


def change(staff: Client, event: Event, **changes: Any) -> Any:
    return staff.post(reverse("admin:events_event_change", args=[event.pk]), form_of(event, **changes), follow=True)


@pytest.mark.parametrize("model", ["event", "registration"])
def test_every_page_of_the_admin_opens(staff, make_event, register, model: str):
    registration = register(make_event())
    pk = registration.pk if model == "registration" else registration.event_id

    assert staff.get(reverse(f"admin:events_{model}_changelist"), {"q": "meet"}).status_code == 200
    assert staff.get(reverse(f"admin:events_{model}_change", args=[pk])).status_code == 200


def test_more_capacity_in_the_admin_brings_in_those_who_wait(staff, make_event, register, statuses, now):
    event = make_event(capacity=1, waitlist=True, date=(now + timedelta(days=3)).replace(microsecond=0))
    first, second = register(event), register(event)

    change(staff, event, capacity=2, waitlist="on")

    assert statuses(first, second) == ["confirmed", "confirmed"]


def test_a_refused_change_says_why_and_changes_nothing(staff, make_event, register, now):
    event = make_event(capacity=2, date=(now + timedelta(days=3)).replace(microsecond=0))
    register(event), register(event)

    page = change(staff, event, capacity=1)

    event.refresh_from_db()
    assert (page.status_code, event.capacity) == (200, 2)
    assert "More people are confirmed than that" in page.content.decode()


def test_staff_create_events(staff, make_user, now):
    event = Event(title="By staff", location="Oslo", date=now + timedelta(days=3))

    staff.post(reverse("admin:events_event_add"), form_of(event, organizer=make_user().pk, status="published"))

    assert Event.objects.values_list("title", "title_folded", "seats_taken").get() == ("By staff", "by staff", 0)


REFUSED = [
    ({"timezone": "Mars/Base"}, "IANA time zone"),
    ({"timezone": "localtime"}, "IANA time zone"),
    ({"title": "\u2800"}, "something to see"),
    ({"date_0": "2001-01-01"}, "must start in the future"),
    ({"registration_opens_at_0": "2098-01-01", "registration_opens_at_1": "12:00:00"}, "before the event starts"),
]


@pytest.mark.parametrize(
    ("exists", "typed", "said"),
    [
        *((True, *refused) for refused in REFUSED),
        *((False, *refused) for refused in REFUSED),
        (False, {"status": "cancelled"}, "One of: draft, published."),
    ],
)
def test_what_the_api_refuses_is_refused_at_its_field(staff, make_event, now, exists: bool, typed, said):
    event = make_event(date=(now + timedelta(days=3)).replace(microsecond=0))
    address = reverse("admin:events_event_change", args=[event.pk]) if exists else reverse("admin:events_event_add")

    page = staff.post(address, form_of(event, organizer=event.organizer_id, status="published") | typed)

    assert page.status_code == 200
    assert said in str(page.context["adminform"].errors)
    assert next(iter(typed.values())) in page.content.decode()  # nothing that was typed is lost
    assert Event.objects.values_list("title", "date", "timezone").get() == (event.title, event.date, event.timezone)


def test_a_closed_account_organizes_nothing_and_what_was_typed_stays(staff, make_event, make_user, now):
    gone = make_user(is_active=False)
    event = make_event(date=(now + timedelta(days=3)).replace(microsecond=0), title="Typed")

    page = staff.post(reverse("admin:events_event_add"), form_of(event, organizer=gone.pk, status="published"))

    assert "organizer" in page.context["adminform"].errors
    assert 'value="Typed"' in page.content.decode()


def test_a_cancelled_event_says_so_and_what_was_typed_stays(staff, make_event, now):
    event = make_event(date=(now + timedelta(days=3)).replace(microsecond=0), status="cancelled")

    page = change(staff, event, title="Another")

    assert "This event is cancelled" in str(page.context["adminform"].errors)
    assert 'value="Another"' in page.content.decode()


def test_a_refused_tag_is_told_in_words(staff, make_event):
    page = change(staff, make_event(), tags="ok,\u2800")

    assert "something to see" in str(page.context["adminform"].errors)


def test_a_registration_is_looked_at_and_never_saved(staff, make_event, register):
    registration = register(make_event())
    address = reverse("admin:events_registration_change", args=[registration.pk])

    assert (staff.get(address).status_code, staff.post(address, {}).status_code) == (200, 403)


@pytest.mark.django_db(transaction=True)
def test_a_busy_event_is_told_and_stands_in_the_way_of_no_other(staff, make_event):
    held, free = make_event(title="Held"), make_event(title="Free")
    wanted = {name: value for name, value in connection.get_connection_params().items() if name != "context"}
    with psycopg.connect(**wanted) as other:
        other.execute("SELECT FROM events_event WHERE id = %s FOR UPDATE", [held.pk])
        chosen = {"action": "cancel_events", "_selected_action": [held.pk, free.pk], "people": 0}
        page = staff.post(reverse("admin:events_event_changelist"), chosen, follow=True).content.decode()

    assert "Held: Others were first" in page
    assert sorted(Event.objects.values_list("title", "status")) == [("Free", "cancelled"), ("Held", "published")]


def test_what_the_service_keeps_is_shown_once_there_is_an_event(staff, make_event):
    new = staff.get(reverse("admin:events_event_add")).content.decode()
    old = staff.get(reverse("admin:events_event_change", args=[make_event().pk])).content.decode()

    assert "DatabaseDefault" not in new
    assert ("Created at" in new, "Created at" in old) == (False, True)


def test_an_action_names_what_a_rule_refused_and_does_the_rest(staff, make_event):
    draft, live = make_event(title="Draft", status="draft"), make_event(title="Live")
    chosen = {"action": "cancel_events", "_selected_action": [draft.pk, live.pk], "people": 0}

    page = staff.post(reverse("admin:events_event_changelist"), chosen, follow=True).content.decode()

    assert "Draft: The event cannot take this step" in page
    assert "Cancelled: 1." in page
    assert sorted(Event.objects.values_list("title", "status")) == [("Draft", "draft"), ("Live", "cancelled")]


@pytest.mark.parametrize(
    ("model", "action", "mail"),
    [
        ("event", "cancel_events", "event_cancelled"),
        ("event", "delete_events", "event_cancelled"),
        ("registration", "cancel_registrations", "registration_cancelled_by_organizer"),
    ],
)
def test_actions_go_through_the_rules(staff, make_event, register, mails, model: str, action: str, mail: str):
    registration = register(make_event())
    pk = registration.pk if model == "registration" else registration.event_id

    staff.post(reverse(f"admin:events_{model}_changelist"), {"action": action, "_selected_action": pk, "people": 1})

    assert mails(registration.attendee) == ["registration_confirmed", mail]


@pytest.mark.parametrize("action", ["cancel_events", "delete_events", "cancel_registrations"])
def test_who_may_only_look_cancels_and_deletes_nothing(make_user, make_event, register, statuses, action: str):
    registration = register(make_event())
    model = "registration" if action == "cancel_registrations" else "event"
    looker, client = make_user(is_staff=True), Client()
    looker.user_permissions.set(Permission.objects.filter(codename__in=["view_event", "view_registration"]))
    client.force_login(looker)
    pk = registration.pk if model == "registration" else registration.event_id

    page = client.post(reverse(f"admin:events_{model}_changelist"), {"action": action, "_selected_action": [pk]})

    assert page.status_code in (200, 302)
    assert statuses(registration) == ["confirmed"]
    event = Event.objects.get()
    assert (event.status, event.deleted_at) == ("published", None)


@pytest.mark.parametrize("search", ["zoe", "ZOË gross", "gross zoe@", "zoe nobody"])
@pytest.mark.parametrize(
    "rows", ["events_registration", "accounts_user", "mail_outboxmail", "events_membership", "accounts_apikey"]
)
def test_staff_find_people_by_every_word_however_it_is_written(
    staff: Client, make_event: Any, make_user: Any, register: Any, now: Any, rows: str, search: str
):
    person = make_user(first_name="Zoë", last_name="Groß", email="zoe@example.org", username="z")
    registration = register(event := make_event(), person)
    register(event)
    mail = OutboxMail.objects.get(recipient=person.email)
    wanted = {
        "events_registration": registration,
        "accounts_user": person,
        "mail_outboxmail": mail,
        "events_membership": event.memberships.create(owner=event.organizer, member=person, role="door", since=now),
        "accounts_apikey": keys.create(user=person, name="x", scopes=["feed"], password="correct-horse-9", now=now)[0],
    }[rows]

    found = staff.get(reverse(f"admin:{rows}_changelist"), {"q": search}).context["cl"].queryset

    assert [row.pk for row in found] == [wanted.pk] * ("nobody" not in search)
