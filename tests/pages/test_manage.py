"""What organizers see and do; what will happen stands on the page before it happens."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from jointoit.accounts.callers import Caller
from jointoit.events import team
from jointoit.events.models import Event
from jointoit.mail import links
from jointoit.mail.models import OutboxMail
from jointoit.pages.urls import urlpatterns

pytestmark = pytest.mark.django_db
FORM = {
    "title": "Launch", "date": "2099-05-17T19:00", "ends_at": "", "timezone": "Europe/Berlin", "location": "Hall",
    "description": "", "capacity": "40", "registration_opens_at": "", "registration_closes_at": "",
    "tags": "Rust, web ,",
}  # fmt: skip
TABS = (
    "event", "edit", "publish", "cancel", "delete", "people", "people-csv", "history", "team", "questions",
    "announcements", "guest", "duplicate", "figures", "figures-csv",
)  # fmt: skip


def path_of(name, event):
    return reverse(f"page-manage-{name}" if name != "event" else "page-manage-event", args=[event.pk])


@pytest.fixture
def people(make_event, make_user, now):
    event = make_event()
    found = {"owner": event.organizer, "stranger": make_user()}
    for role in ("manager", "door"):
        found[role] = make_user()
        event.memberships.create(owner=event.organizer, member=found[role], role=role, since=now)
    return event, found


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize(("who", "status"), [("owner", 200), ("manager", 200), ("door", 403), ("stranger", 403)])
def test_managing_is_for_who_manages(log_in, people, tab, who, status):
    event, found = people
    assert log_in(found[who]).get(path_of(tab, event)).status_code == status


@pytest.mark.parametrize("tab", TABS)
def test_a_draft_of_others_is_not_there(log_in, make_event, make_user, tab):
    assert log_in(make_user()).get(path_of(tab, make_event(status="draft"))).status_code == 404


def test_every_page_of_ones_own_asks_to_log_in(client, make_event):
    event = make_event()
    paths = [
        "/" + re.sub(r"<id:\w+>", str(event.pk), str(pattern.pattern)) for pattern in urlpatterns
        if str(pattern.pattern).startswith(("me/", "manage/"))
    ]  # fmt: skip

    answers = {path: (client.get(path), client.post(path)) for path in paths}

    assert len(paths) > 15
    for path, both in answers.items():
        assert [answer["Location"].partition("?")[0] for answer in both] == ["/login/"] * 2, path


@pytest.mark.parametrize("status", ["published", "draft"])
def test_an_event_is_created_on_the_clocks_of_its_place(log_in, make_user, status):
    answer = log_in(make_user()).post("/manage/new/", {**FORM, "status": status, "waitlist": "on"})

    event = Event.objects.get()
    assert answer["Location"] == f"/manage/{event.pk}/"
    assert (event.date.isoformat(), event.status, event.capacity) == ("2099-05-17T17:00:00+00:00", status, 40)
    assert (event.tags, event.waitlist, event.requires_approval) == (["rust", "web"], True, False)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"title": ""}, "This field is required."),
        ({"title": "x" * 256}, "no more than 255 characters"),
        ({"title": "\x07bell"}, "This must not have control characters."),
        ({"title": "\x00"}, "Null characters are not allowed."),
        ({"date": "tomorrow"}, "Write it as date and time"),
        ({"date": "2001-01-01T10:00"}, "An event must start in the future."),
        ({"date": "9999-12-31T23:59", "timezone": "Pacific/Honolulu"}, "outside of the years"),
        ({"ends_at": "2099-05-17T18:00"}, "An event must end after it starts."),
        ({"timezone": "Mars/Base"}, "Select a valid choice"),
        ({"capacity": "0"}, "greater than or equal to 1"),
        ({"capacity": "many"}, "Enter a whole number."),
        ({"capacity": "9" * 40}, "less than or equal to"),
        ({"description": "x" * 20_001}, "no more than 20000 characters"),
        ({"tags": ",".join(map(str, range(21)))}, "no more than 20 elements"),
        (
            {"registration_closes_at": "2099-05-01T10:00", "registration_opens_at": "2099-05-02T10:00"},
            "must open before",
        ),
        ({"status": "cancelled"}, "One of: draft, published."),
    ],
)
def test_a_refused_event_says_why_and_loses_nothing(log_in, make_user, wrong, sentence):
    page = log_in(make_user()).post("/manage/new/", {**FORM, "location": "A place to keep", **wrong})

    assert (page.status_code, sentence in page.text, "A place to keep" in page.text) == (400, True, True)
    assert Event.objects.count() == 0


@pytest.mark.parametrize("description", ["x" * 20_000, "😀" * 20_000])
def test_the_longest_description_fits(log_in, make_user, description):
    assert log_in(make_user()).post("/manage/new/", {**FORM, "description": description}).status_code == 302


def test_saving_an_event_as_it_is_changes_nothing(log_in, make_event, now, register, mails):
    event = make_event(date=now + timedelta(days=3, seconds=7), timezone="Asia/Tokyo", tags=["a", "b"])
    guest = register(event).attendee
    client, path = log_in(event.organizer), path_of("edit", event)
    page = client.get(path).text
    sent = dict(re.findall(r'<input [^>]*name="(\w+)" value="([^"]*)"', page)) | {"timezone": "Asia/Tokyo"}
    before = Event.objects.values().get()

    client.post(path, {**FORM, **{name: sent.get(name, "") for name in FORM}, "description": ""})

    after = Event.objects.values().get()
    assert {name: after[name] for name in before if after[name] != before[name]} == {}
    assert mails(guest) == ["registration_confirmed"]


@pytest.mark.parametrize("tab", ["cancel", "delete"])
def test_the_page_says_how_many_get_a_mail_and_the_button_sends_them(log_in, make_event, register, mails, tab):
    event = make_event()
    guests = [register(event).attendee for _ in range(12)]
    client = log_in(event.organizer)

    assert "12 people will get a mail." in client.get(path_of(tab, event)).text
    assert event.registrations.live().count() == 12
    client.post(path_of(tab, event))
    assert {mails(guest)[-1] for guest in guests} == {"event_cancelled"}


def test_the_editor_says_who_hears_of_a_move(log_in, make_event, register):
    event = make_event()
    register(event)

    assert "1 person will get a mail." in log_in(event.organizer).get(path_of("edit", event)).text


def test_a_draft_is_published_by_a_button(log_in, make_event):
    event = make_event(status="draft")

    log_in(event.organizer).post(path_of("publish", event))

    event.refresh_from_db()
    assert event.status == "published"


def test_the_list_leads_to_what_one_may_do(log_in, people):
    event, found = people
    of = {who: log_in(found[who]).get("/manage/").text for who in ("owner", "manager", "door", "stranger")}

    led = {who: re.findall(r'h2[^>]*><a href="([^"]+)"', page) for who, page in of.items()}
    manages, door = [path_of("event", event)], [reverse("page-door", args=[event.pk])]
    assert led == {"owner": manages, "manager": manages, "door": door, "stranger": []}


# ── People ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_many_are_approved_at_once_after_a_question(log_in, make_event, register, statuses):
    event = make_event(requires_approval=True)
    asked = [register(event) for _ in range(3)]
    client, path = log_in(event.organizer), reverse("page-manage-step", args=[event.pk])
    chosen = {"registration": [each.pk for each in asked[:2]], "status": "confirmed"}

    question = client.post(path, chosen).text

    assert ("2 people will get a mail." in question, statuses(*asked)) == (True, ["pending"] * 3)
    client.post(path, {**chosen, "sure": "yes"})
    assert statuses(*asked) == ["confirmed", "confirmed", "pending"]


def test_the_reason_for_an_end_is_in_the_mails_and_one_that_is_too_long_ends_nothing(
    log_in, make_event, register, statuses
):
    event = make_event()
    first, second = register(event), register(event)
    client = log_in(event.organizer)
    steps, cancel = (path_of(name, event) for name in ("step", "cancel"))
    chosen = {"registration": [first.pk], "status": "cancelled", "sure": "yes"}

    for path, form in ((steps, chosen), (cancel, {})):
        assert client.post(path, form | {"reason": "x" * 501}).status_code == 400
    assert statuses(first, second) == ["confirmed", "confirmed"]
    client.post(steps, chosen | {"reason": "You asked for it."})
    client.post(cancel, {"reason": "No heating."})

    told = OutboxMail.objects.filter(payload__reason__isnull=False).order_by("pk")
    assert list(told.values_list("kind", "payload__reason")) == [
        ("registration_cancelled_by_organizer", "You asked for it."), ("event_cancelled", "No heating."),
    ]  # fmt: skip


def test_one_that_is_refused_keeps_none_of_the_others(log_in, make_event, register, statuses):
    event = make_event(requires_approval=True, capacity=1)
    asked = [register(event) for _ in range(2)]
    chosen = {"registration": [each.pk for each in asked], "status": "confirmed", "sure": "yes"}

    page = log_in(event.organizer).post(reverse("page-manage-step", args=[event.pk]), chosen, follow=True)

    assert statuses(*asked) == ["confirmed", "pending"]
    assert "Every seat of this event is taken." in page.text


@pytest.mark.parametrize("chosen", [[], ["0"], ["x"], ["-1"], ["9" * 30], ["elsewhere"]])
def test_nobody_chosen_is_said_and_nothing_done(log_in, make_event, register, statuses, chosen):
    event, other = make_event(), register(make_event())
    sent = {"registration": [other.pk if each == "elsewhere" else each for each in chosen], "sure": "yes"}

    page = log_in(event.organizer).post(reverse("page-manage-step", args=[event.pk]), sent, follow=True)

    assert ("Choose somebody first" in page.text, statuses(other)) == (True, ["confirmed"])


@pytest.mark.parametrize("words", ["josé", "JOSE", "josé@EXAMPLE"])
def test_people_are_found_in_any_case_and_accent(log_in, make_event, make_user, register, words):
    event = make_event()
    register(event, make_user(username="josé", email="josé@example.org"))
    register(event, make_user(username="ada"))

    page = log_in(event.organizer).get(path_of("people", event), {"search": words}).text

    assert ("josé" in page, ">ada<" in page) == (True, False)


def test_the_file_is_that_of_the_api(log_in, signed_in, make_event, register):
    event = make_event()
    register(event)

    here = b"".join(log_in(event.organizer).get(path_of("people-csv", event)).streaming_content)

    csv = {"Accept": "text/csv"}
    there = signed_in(event.organizer).get(f"/events/{event.pk}/registrations/", headers=csv)
    assert here == b"".join(there.streaming_content)


# ── Team ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_somebody_is_asked_to_help_and_accepts_by_the_link_of_the_mail(log_in, make_event, make_user):
    event, helper = make_event(), make_user(email_verified=True)
    log_in(event.organizer).post(path_of("team", event), {"do": "invite", "email": helper.email, "role": "door"})
    offer = event.invitations.get()
    client = log_in(helper)
    browser = {"Accept": "text/html,application/xhtml+xml"}

    led = client.get("/invitations/", {"token": links.mint_invitation(offer.pk)}, headers=browser)

    page = client.get(led["Location"])
    assert "You are asked to help at the door" in page.text
    client.post("/me/invitations/", {"do": "accept", "id": offer.pk})
    assert event.memberships.get().member == helper


@pytest.mark.parametrize(
    ("case", "sentence"),
    [
        ("other", "went to another address"),
        ("unverified", "First confirm your address"),
        ("used", "used, withdrawn or too old"),
        ("forged", "used, withdrawn or too old"),
    ],
)
def test_an_invitation_that_is_not_ones_own_says_why(log_in, make_event, make_user, now, case, sentence):
    event, helper = make_event(), make_user(email_verified=case != "unverified")
    email = "somebody@example.org" if case == "other" else helper.email
    offer = team.invite(caller=Caller(event.organizer), event_id=event.pk, email=email, role="door", now=now)
    if case == "used":
        team.decline(user=helper, invitation_id=offer.pk, now=now)
    token = "forged" if case == "forged" else links.mint_invitation(offer.pk)

    assert sentence in log_in(helper).get("/me/invitations/", {"token": token}).text


def test_nobody_takes_an_invitation_of_another(log_in, make_event, make_user, now):
    event = make_event()
    offer = team.invite(
        caller=Caller(event.organizer), event_id=event.pk, email="ada@example.org", role="manager", now=now
    )

    page = log_in(make_user(email_verified=True)).post("/me/invitations/", {"do": "accept", "id": offer.pk})

    assert (page.status_code, event.memberships.count()) == (409, 0)


def test_a_manager_gives_out_the_door_and_no_more(log_in, people):
    event, found = people
    client, path = log_in(found["manager"]), path_of("team", event)

    refused = client.post(path, {"do": "invite", "email": "a@example.org", "role": "manager"})
    client.post(path, {"do": "invite", "email": "b@example.org", "role": "door"})

    assert (refused.status_code, "belongs to the owner" in refused.text) == (400, True)
    assert [offer.email for offer in event.invitations.all()] == ["b@example.org"]


def test_a_door_pass_is_shown_once_and_ended_by_a_button(log_in, make_event):
    event = make_event()
    client, path = log_in(event.organizer), path_of("team", event)

    first, again = client.post(path, {"do": "pass", "label": "Left"}).text, client.get(path).text

    assert ("/door/enter/jtd_" in first, "/door/enter/jtd_" in again, "Left" in again) == (True, False, True)
    client.post(path, {"do": "end_pass", "id": event.door_passes.get().pk})
    assert "Left" not in client.get(path).text
