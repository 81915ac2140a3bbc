"""Calendars to subscribe to: one's own registrations by a secret address, and what an organizer has on."""

from datetime import timedelta

import pytest
from icalendar import Calendar

from jointoit.accounts import account_closing, calendar_addresses
from jointoit.accounts.callers import Caller
from jointoit.accounts.models import CalendarAddress
from jointoit.events import booking, scheduling
from jointoit.events.models import Event, Registration
from jointoit.mail import payload
from jointoit.mail.calendar import seat_calendar
from jointoit.mail.models import OutboxMail

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def path_of(user, now):
    url, _ = calendar_addresses.make(user=user, now=now)
    return url.removeprefix("http://127.0.0.1:8000")


def entries(answer):
    assert answer.status_code == 200
    return {str(entry["UID"]): entry for entry in Calendar.from_ical(answer.content).walk("VEVENT")}


def statuses(answer):
    return {str(entry["SUMMARY"]): str(entry["STATUS"]) for entry in entries(answer).values()}


@pytest.fixture
def ada(make_user):
    return make_user()


def test_the_address_is_shown_once_and_renewed(signed_in, api, ada):
    first, second = (signed_in(ada).post("/users/me/calendar/") for _ in range(2))
    paths = [answer.json()["url"].removeprefix("http://127.0.0.1:8000") for answer in (first, second)]

    assert [first.status_code, second.status_code, first["Cache-Control"]] == [201, 200, "no-store"]
    assert [api.get(path).status_code for path in paths] == [404, 200]
    assert CalendarAddress.objects.get().digest not in "".join(paths)


def test_it_has_each_place_with_where_it_stands(api, make_event, register, ada, now):
    confirmed, full, asks, left, long_ago = (
        make_event(title=title, **fields)
        for title, fields in {
            "seat": {}, "full": {"capacity": 1, "waitlist": True}, "asked": {"requires_approval": True},
            "left": {}, "left long ago": {},
        }.items()
    )  # fmt: skip
    register(full)
    for event in (confirmed, full, asks, left, long_ago):
        booked = register(event, ada)
        if event in (left, long_ago):
            booking.set_status(registration_id=booked.pk, caller=Caller(ada), status="cancelled", now=now)
    Registration.objects.filter(event=long_ago).update(updated_at=now - 31 * DAY)
    register(make_event(title="of others"))
    register(make_event(title="a year ago"), ada)
    Event.objects.filter(title="a year ago").update(date=now - 366 * DAY)

    assert statuses(api.get(path_of(ada, now))) == {
        "seat": "CONFIRMED", "full": "TENTATIVE", "asked": "TENTATIVE", "left": "CANCELLED",
    }  # fmt: skip


def test_its_entries_are_those_of_the_mails_and_of_the_file(api, make_event, register, ada, now):
    event = make_event()
    registration = register(event, ada)
    scheduling.change(event_id=event.pk, caller=Caller(event.organizer), fields={"location": "Hall 2"}, now=now)
    mail = OutboxMail.objects.filter(kind="event_changed").get()
    part = seat_calendar(payload.load(mail.kind, mail.payload), promised_at=now)
    [in_mail] = Calendar.from_ical(part).walk("VEVENT")

    [(uid, in_feed)] = entries(api.get(path_of(ada, now))).items()
    [(file_uid, in_file)] = entries(api.get(f"/events/{event.pk}/calendar.ics")).items()

    assert [uid, file_uid] == [str(in_mail["UID"])] * 2
    assert [in_feed["SEQUENCE"], in_file["SEQUENCE"]] == [in_mail["SEQUENCE"]] * 2
    assert (in_mail["SEQUENCE"], str(in_feed["LOCATION"])) == (1, "Hall 2")
    Registration.objects.filter(pk=registration.pk).update(has_event_uid=False, revision=3)
    [(legacy, in_feed)] = entries(api.get(path_of(ada, now))).items()
    assert (legacy, in_feed["SEQUENCE"]) == (f"registration-{registration.pk}@jointoit.example", 4)


def test_who_cancelled_and_came_back_has_the_event_once(api, make_event, register, ada, now):
    event = make_event()
    first = register(event, ada)
    booking.set_status(registration_id=first.pk, caller=Caller(ada), status="cancelled", now=now)
    register(event, ada)

    assert [str(entry["STATUS"]) for entry in entries(api.get(path_of(ada, now))).values()] == ["CONFIRMED"]


def test_a_calendar_program_is_told_its_name_how_often_to_ask_and_when_nothing_changed(
    api, make_event, register, ada, now, django_assert_num_queries
):
    event = make_event()
    register(event, ada)
    path = path_of(ada, now)
    with django_assert_num_queries(2):
        answer = api.get(path)
    calendar = Calendar.from_ical(answer.content)

    assert (str(calendar["NAME"]), str(calendar["X-WR-CALNAME"]), str(calendar["METHOD"])) == (
        "My seats", "My seats", "PUBLISH",
    )  # fmt: skip
    assert b"REFRESH-INTERVAL;VALUE=DURATION:PT1H\r\n" in answer.content
    assert (answer["Content-Type"], answer["Referrer-Policy"]) == ("text/calendar; charset=utf-8", "no-referrer")
    assert answer["Cache-Control"] == "private, no-cache"
    again = api.get(path, HTTP_IF_NONE_MATCH=answer["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    scheduling.cancel(event_id=event.pk, caller=Caller(event.organizer), now=now)
    assert api.get(path, HTTP_IF_NONE_MATCH=answer["ETag"]).status_code == 200


@pytest.mark.parametrize("end", ["reset", "closed", "shut"])
def test_the_address_ends_with_what_else_opens_the_account(api, ada, now, end):
    path = path_of(ada, now)
    if end == "reset":
        ada.end_access(keys=True).save()
    elif end == "closed":
        account_closing.close(user=ada, password="correct-horse-9", now=now)
    else:
        account_closing.deactivate(user_ids=[ada.pk])

    assert [api.get(each).status_code for each in (path, "/calendar/x.ics", "/calendar/%F0%9F%8E%AB.ics")] == [404] * 3


def test_a_new_password_leaves_the_address(api, ada, now):
    path = path_of(ada, now)
    ada.end_access(keys=False).save()

    assert api.get(path).status_code == 200


def test_what_an_organizer_has_on_is_for_anybody(api, make_event, ada, now):
    shown = {"a": {}, "called off": {"status": "cancelled"}}
    hidden = {"draft": {"status": "draft"}, "gone": {"deleted_at": now}}
    for title, fields in (shown | hidden).items():
        make_event(title=title, organizer=ada, **fields)
    make_event(title="of others")
    old = make_event(title="called off long ago", organizer=ada, status="cancelled")
    Event.objects.filter(pk=old.pk).update(updated_at=now - 31 * DAY)

    answer = api.get(f"/organizers/{ada.pk}/calendar.ics")

    assert statuses(answer) == {"a": "CONFIRMED", "called off": "CANCELLED"}
    assert str(Calendar.from_ical(answer.content)["NAME"]) == ada.username
    assert api.get(f"/organizers/{ada.pk}/calendar.ics", HTTP_IF_NONE_MATCH=answer["ETag"]).status_code == 304
    assert ada.email.encode() not in answer.content


def test_who_never_showed_an_event_has_no_calendar(api, make_event, ada):
    make_event(organizer=ada, status="draft")

    assert [api.get(f"/organizers/{pk}/calendar.ics").status_code for pk in (ada.pk, 2**62)] == [404, 404]


def test_markup_and_line_breaks_of_others_are_text_in_it(api, make_event, ada):
    make_event(title="</script>,;\\ x", description="a\nBEGIN:VALARM", organizer=ada)

    answer = api.get(f"/organizers/{ada.pk}/calendar.ics")

    assert list(statuses(answer)) == ["</script>,;\\ x"]
    assert b"\r\nBEGIN:VALARM" not in answer.content
