"""What organizers do besides: questions, news, people one by one, the same event again."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from jointoit.accounts.callers import SERVICE
from jointoit.events import questions
from jointoit.events.models import Event, Registration
from jointoit.mail.models import OutboxMail

pytestmark = pytest.mark.django_db
ASKED = {"label": "Food?", "help": "", "type": "choice", "options": "vegan\r\n\r\n all ", "required": "on"}
NEWS = {"subject": "Bring a cup", "text": "There will be tea.", "to": ["confirmed", "waitlisted"]}


def path_of(name, event, *more):
    return reverse(f"page-manage-{name}", args=[event.pk, *more])


def labels(event):
    return list(event.questions.filter(archived=False).values_list("label", flat=True))


# ── Questions ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_questions_are_added_put_in_order_changed_put_away_and_deleted(log_in, make_event):
    event = make_event()
    client, path = log_in(event.organizer), path_of("questions", event)
    for label in ("Food?", "Size?", "Name?"):
        client.post(path, ASKED | {"label": label})
    food, size, name = event.questions.all()
    one = {each: path_of("question", event, each.pk) for each in (food, size, name)}

    for moved, do in ((name, "up"), (food, "up"), (name, "down"), (food, "down")):
        client.post(path, {"id": moved.pk, "do": do})
    assert labels(event) == ["Size?", "Food?", "Name?"]
    client.post(one[size], ASKED | {"label": "Which size?", "options": "S\nM"})
    client.post(one[food], {"do": "archive"})
    client.post(one[name], {"do": "delete"})

    page = client.get(path).text
    assert (labels(event), event.questions.get(pk=size.pk).options) == (["Which size?"], ["S", "M"])
    assert ("Food?" in page, "Name?" in page, 'value="vegan"' in client.get(one[size]).text) == (True, False, False)
    client.post(one[food], {"do": "restore"})
    assert labels(event) == ["Which size?", "Food?"]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"label": ""}, "This field is required."),
        ({"label": "x" * 201}, "no more than 200 characters"),
        ({"options": ""}, "at least one option"),
        ({"type": "text"}, "no other type has any"),
        ({"type": "picture"}, "Select a valid choice"),
        ({"options": "\n".join(map(str, range(51)))}, "no more than 50 elements"),
    ],
)
def test_a_refused_question_says_why_and_loses_nothing(log_in, make_event, wrong, sentence):
    event = make_event()

    page = log_in(event.organizer).post(path_of("questions", event), ASKED | {"help": "Keep me"} | wrong)

    assert (page.status_code, sentence in page.text, "Keep me" in page.text) == (400, True, True)
    assert labels(event) == []


def test_what_was_answered_is_neither_deleted_nor_made_another_question(log_in, make_event, register, now):
    event = make_event()
    asked = questions.add(caller=SERVICE, event_id=event.pk, fields={"label": "Food?", "type": "text"}, now=now)
    register(event, answered={str(asked.pk): "vegan"})
    client, path = log_in(event.organizer), path_of("question", event, asked.pk)

    pages = [client.post(path, {"do": "delete"}), client.post(path, ASKED)]
    nameless = client.post(path, ASKED | {"label": ""})

    assert [(page.status_code, "People have answered this question." in page.text) for page in pages] == [
        (409, True), (400, True),
    ]  # fmt: skip
    assert nameless.status_code == 400
    assert "Delete it" not in client.get(path).text
    assert (event.questions.get().type, client.get(path_of("question", event, 999)).status_code) == ("text", 404)


# ── News ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_news_are_counted_first_and_sent_once_however_often_the_button_is_pressed(log_in, make_event, register, mails):
    event = make_event(capacity=2, waitlist=True)
    guests = [register(event).attendee for _ in range(3)]
    client, path = log_in(event.organizer), path_of("announcements", event)

    look = client.post(path, NEWS | {"do": "look"}).text
    assert ("3 people will get a mail." in look, event.announcements.count()) == (True, 0)
    sure = NEWS | {"do": "send", "newest": re.search(r'name="newest" value="(\d+)"', look)[1]}
    assert "Bring a cup" in client.post(path, NEWS | {"do": "edit"}).text
    client.post(path, sure)
    again = client.post(path, sure, follow=True).text

    assert [mails(guest)[-1] for guest in guests] == ["news"] * 3
    assert (event.announcements.count(), "sent meanwhile" in again, "3 waiting" in again) == (1, True, True)


def test_a_fourth_announcement_of_a_day_waits(log_in, make_event):
    event = make_event()
    client, path, statuses = log_in(event.organizer), path_of("announcements", event), []
    for _ in range(4):
        look = client.post(path, NEWS | {"do": "look"}).text
        newest = re.search(r'name="newest" value="(\d+)"', look)[1]
        statuses.append(client.post(path, NEWS | {"do": "send", "newest": newest}).status_code)

    assert statuses == [302, 302, 302, 429]
    assert client.post(path, NEWS | {"to": [], "do": "send"}).status_code == 400


# ── People ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_one_person_is_shown_with_answers_mails_and_what_happened(log_in, make_event, make_user, register, now):
    event = make_event()
    asked = questions.add(caller=SERVICE, event_id=event.pk, fields={"label": "Food?", "type": "text"}, now=now)
    seat = register(event, make_user(first_name="Grace"), answered={str(asked.pk): "vegan"})
    client, path = log_in(event.organizer), path_of("person", event, seat.pk)

    page = client.get(path).text
    client.post(path, {"do": "reissue"})
    client.post(path, {"do": "mail"})

    found = ("Grace", seat.attendee.email, "vegan", "Registration confirmed", "on its way", "Seat confirmed")
    assert [words in page for words in found] == [True] * 6
    mails = OutboxMail.objects.filter(recipient=seat.attendee.email).order_by("pk").values_list("kind", flat=True)
    assert list(mails) == ["registration_confirmed", "ticket_reissued", "registration_confirmed"]
    assert client.get(path_of("person", make_event(organizer=event.organizer), seat.pk)).status_code == 404


def test_a_cancelled_person_has_no_ticket_and_no_address_any_more(log_in, make_event, register):
    event = make_event()
    seat = register(event)
    Registration.objects.filter(pk=seat.pk).update(status="cancelled")
    client, path = log_in(event.organizer), path_of("person", event, seat.pk)

    page = client.post(path, {"do": "reissue"})

    assert (page.status_code, "There is no ticket without a seat." in page.text) == (409, True)
    assert seat.attendee.email not in client.get(path).text


@pytest.mark.parametrize(
    ("capacity", "status"),
    [({}, "confirmed"), ({"capacity": 1, "waitlist": True}, "waitlisted"), ({"capacity": 1}, None)],
)
def test_a_person_is_added_with_answers_where_there_is_a_place(log_in, make_event, register, now, capacity, status):
    event = make_event(**capacity, registration_closes_at=now + timedelta(hours=1))
    register(event)
    asked = {"label": "Food?", "type": "text", "required": True}
    question = questions.add(caller=SERVICE, event_id=event.pk, fields=asked, now=now)
    Event.objects.filter(pk=event.pk).update(registration_closes_at=now)
    client, path = log_in(event.organizer), path_of("guest", event)
    person = {"email": "grace@example.org", "first_name": "Grace", "last_name": "", "asked": str(question.pk)}

    missing = client.post(path, person)
    wrong = client.post(path, person | {f"answer_{question.pk}": "x" * 501})
    page = client.post(path, person | {f"answer_{question.pk}": "vegan"}, follow=True)

    assert (wrong.status_code, "at most 500 characters" in wrong.text) == (400, True)
    assert (missing.status_code, "Food?" in client.get(path).text) == (400, True)
    added = event.registrations.filter(attendee__email="grace@example.org").first()
    assert (added and (added.status, added.answers)) == (status and (status, {str(question.pk): "vegan"}))
    assert (page.status_code, "Every seat of this event is taken." in page.text) == (
        (200, False) if status else (400, True)
    )


@pytest.mark.parametrize("status", ["pending", "confirmed"])
def test_who_is_cancelled_is_told_why(log_in, make_event, register, statuses, status):
    event = make_event(requires_approval=status == "pending")
    seat = register(event)
    client, path = log_in(event.organizer), path_of("step", event)
    sure = {"registration": seat.pk, "status": "cancelled", "sure": "yes"}

    too_long = client.post(path, sure | {"reason": "x" * 501})
    assert (too_long.status_code, statuses(seat)) == (400, [status])
    client.post(path, sure | {"reason": "The hall burnt down."})

    assert statuses(seat) == ["cancelled"]
    told = OutboxMail.objects.filter(recipient=seat.attendee.email).order_by("pk").last()
    assert told.payload["reason"] == "The hall burnt down."


def test_many_people_are_read_page_by_page_with_as_many_queries_as_few(log_in, make_event, make_user, now):
    event = make_event()
    client, path = log_in(event.organizer), path_of("people", event)
    fields = {"event": event, "status": "confirmed", "registered_at": now, "updated_at": now}
    counts, seen = [], []
    for number in (1, 120):
        people = [make_user() for _ in range(number)]
        Registration.objects.bulk_create(Registration(attendee=each, **fields) for each in people)
        with CaptureQueriesContext(connection) as queries:
            page = client.get(path).text
        counts.append(len(queries))
    while page:
        seen += re.findall(r'name="registration" value="(\d+)"', page)
        following = re.search(r'rel="next" href="([^"]*)"', page)
        page = client.get(path + following[1].replace("&amp;", "&")).text if following else ""

    assert (len(seen), len(set(seen)), counts[1] - counts[0]) == (121, 121, 0)
    assert client.get(path, {"status": "nonsense"}).text.count('type="checkbox"') == 50
    found = client.get(path, {"search": people[60].username}).text
    assert re.findall(r'people/\d+/">([^<]+)<', found) == [people[60].username]
    assert (people[60].email in found, "(121)" in found) == (True, True)


# ── Again ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_event_is_done_again_on_another_day_as_a_draft(log_in, make_event, register):
    event = make_event(timezone="Europe/Berlin", tags=["chess"])
    register(event)
    client, path = log_in(event.organizer), path_of("duplicate", event)

    refused = client.post(path, {"date": "2001-05-17T19:00", "title": "Again"})
    answer = client.post(path, {"date": "2099-05-17T19:00", "title": "Again"})

    made = Event.objects.exclude(pk=event.pk).get()
    assert (refused.status_code, "start in the future" in refused.text) == (400, True)
    assert answer["Location"] == reverse("page-manage-event", args=[made.pk])
    assert (made.title, made.status, made.date.isoformat(), made.tags) == (
        "Again", "draft", "2099-05-17T17:00:00+00:00", ["chess"],
    )  # fmt: skip
    assert made.registrations.count() == 0


def test_what_the_editor_says_of_transfers_cancelling_and_mails_is_kept(log_in, make_event):
    event = make_event()
    sent = {
        "title": "Launch", "date": "2099-05-17T19:00", "timezone": "Europe/Berlin", "location": "Hall",
        "cancel_until": "2099-05-16T12:00", "allow_transfers": "on", "verified_only": "on",
        "contact": "team@example.org", "organizer_news": "each", "checkin_opens_at": "2099-05-17T18:00",
    }  # fmt: skip

    client, path = log_in(event.organizer), path_of("edit", event)
    refused = [client.post(path, sent | wrong).status_code for wrong in ({"title": ""}, {"date": "2001-05-17T19:00"})]
    answer = client.post(path, sent)

    event.refresh_from_db()
    assert [*refused, answer.status_code] == [400, 400, 302]
    assert (event.allow_transfers, event.verified_only, event.contact, event.organizer_news) == (
        True, True, "team@example.org", "each",
    )  # fmt: skip
    assert [at.isoformat()[:16] for at in (event.cancel_until, event.checkin_opens_at)] == [
        "2099-05-16T10:00", "2099-05-17T16:00",
    ]  # fmt: skip
