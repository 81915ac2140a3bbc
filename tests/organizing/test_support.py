"""The admin as a place for support: who is it, what happened, and help that says first whom it writes to."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from jointoit.accounts import keys
from jointoit.events.models import Registration
from jointoit.mail.models import OutboxMail

ACTIONS = {
    "cancel_events": "events_event",
    "delete_events": "events_event",
    "approve_registrations": "events_registration",
    "cancel_registrations": "events_registration",
    "send_again": "events_registration",
    "try_again": "mail_outboxmail",
}
OF_PERSON = [
    "Registrations", "Own events", "What happened to their registrations", "Mails", "What they did",
]  # fmt: skip


@pytest.fixture
def staff(make_user) -> Client:
    client = Client()
    client.force_login(make_user(username="root", is_staff=True, is_superuser=True))
    return client


def page_of(client: Client, model: str, pk: int) -> str:
    return client.get(reverse(f"admin:{model}_change", args=[pk])).text


def promised() -> list[Any]:
    return list(OutboxMail.objects.order_by("pk").values_list("pk", "not_before"))


def panels(page: str) -> list[str]:
    return re.findall(r'<section class="module panel">\s*<h2>([^<]+)</h2>', page)


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_that_sends_mail_says_first_how_many_people_get_one(staff, make_event, make_user, register, action):
    organizer = make_user()
    events = [make_event(requires_approval=True, organizer=organizer) for _ in range(2)]
    both = make_user()
    seats = [register(events[0], both), register(events[1], both), register(events[0])]
    mails = OutboxMail.objects.filter(kind="registration_pending")
    rows = {"events_event": events, "events_registration": seats, "mail_outboxmail": mails}
    chosen = {"action": action, "_selected_action": [row.pk for row in rows[ACTIONS[action]]]}
    path, before = reverse(f"admin:{ACTIONS[action]}_changelist"), promised()

    asked = [staff.post(path, chosen | more).text for more in ({}, {"people": 3})]

    assert [page.count("2 people get a mail.") for page in asked] == [1, 1]
    assert promised() == before
    staff.post(path, chosen | {"people": 2})
    assert promised() != before


def test_the_question_carries_on_what_was_chosen(staff, make_event, register):
    seats = [register(make_event(requires_approval=True)) for _ in range(2)]
    path = reverse("admin:events_registration_changelist")

    page = staff.post(path, {"action": "approve_registrations", "_selected_action": [seat.pk for seat in seats]}).text
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="(\w+)"', page)
    answers: dict[str, list[str]] = {}
    for name, value in fields:
        answers.setdefault(name, []).append(value)
    staff.post(path, answers)

    assert set(Registration.objects.values_list("status", flat=True)) == {"confirmed"}


def test_the_page_of_a_person_shows_what_belongs_to_them(staff, make_event, make_user, register, now):
    ada = make_user(username="ada", email="ada@example.org")
    event = make_event(title="Looms")
    registration = register(event, ada)
    event.memberships.create(owner=event.organizer, member=ada, role="door", since=now)
    keys.create(user=ada, name="Badge printer", scopes=["feed"], password="correct-horse-9", now=now)

    page = page_of(staff, "accounts_user", ada.pk)

    assert panels(page) == OF_PERSON
    for shown in ("Looms", "registration_confirmed", "registration.confirmed", "Badge printer", "door"):
        assert shown in page, shown
    for panel in re.findall(r'<p><a href="([^"]+)">All:', page):
        assert staff.get(panel.replace("&amp;", "&")).status_code == 200
    assert reverse("admin:events_registration_change", args=[registration.pk]) in page


def test_the_page_of_an_event_shows_its_figures(staff, make_event, register):
    event = make_event(capacity=1, waitlist=True)
    for _ in range(3):
        register(event)

    page = page_of(staff, "events_event", event.pk)

    assert panels(page) == ["Figures", "Registrations", "What happened", "Announcements", "Reports"]
    assert re.findall(r"<td>(Confirmed|Waitlisted)</td><td>(\d+)</td>", page) == [
        ("Confirmed", "1"),
        ("Waitlisted", "2"),
    ]
    assert "everybody registered, who are 3 now." in page


def test_the_page_of_a_registration_shows_its_mails_and_what_happened(staff, make_event, register):
    page = page_of(staff, "events_registration", register(make_event()).pk)

    assert panels(page) == ["What happened", "Mails", "At the door"]
    assert "registration_confirmed" in page


@pytest.mark.parametrize("model", ["accounts_user", "events_event"])
def test_a_page_costs_the_same_however_much_there_is(staff, make_event, make_user, register, model):
    ada = make_user()
    event = make_event(organizer=ada)

    def cost() -> int:
        register(event), register(make_event(), ada)
        with CaptureQueriesContext(connection) as asked:
            page_of(staff, model, ada.pk if model == "accounts_user" else event.pk)
        return len(asked)

    _, first, *_, last = [cost() for _ in range(12)]  # the first fills what Django remembers of content types

    assert first == last


def test_staff_see_of_a_person_what_they_may_look_at(make_user, make_event, register):
    helper, client = make_user(is_staff=True), Client()
    helper.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "view_registration"]))
    client.force_login(helper)
    registration = register(make_event())

    assert panels(page_of(client, "accounts_user", registration.attendee_id)) == ["Registrations"]
    actions = client.get(reverse("admin:accounts_user_changelist")).text
    assert "export_person" not in actions


def test_everything_about_one_person_is_exported_for_them_and_it_is_noted(
    staff, make_event, make_user, register, caplog
):
    registration = register(make_event(), make_user(username="ada"))
    path, other = reverse("admin:accounts_user_changelist"), make_user()
    export: dict[str, Any] = {"action": "export_person", "_selected_action": [registration.attendee_id]}

    document = staff.post(path, export)
    refused = staff.post(path, export | {"_selected_action": [registration.attendee_id, other.pk]}, follow=True)

    assert document.json()["account"]["username"] == "ada"
    assert [row["id"] for row in document.json()["registrations"]] == [registration.pk]
    assert document["Content-Disposition"].startswith("attachment")
    assert "Choose one person." in refused.text
    noted: list[Any] = [record.msg for record in caplog.records if record.name == "jointoit.security"]
    assert [(each["action"], each["user_id"]) for each in noted] == [("export", registration.attendee_id)]


def test_the_admin_has_the_name_and_the_look_of_the_service(client):
    page = client.get(reverse("admin:login")).text

    assert ("Jointoit" in page, "Django administration" in page, "api/admin" in page) == (True, False, True)
