import codecs
import csv
from datetime import timedelta
from typing import Any

import pytest

from jointoit.accounts.callers import SERVICE, Caller
from jointoit.events import booking, scheduling
from jointoit.mail.models import OutboxMail


def status_and_code(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


def test_registering_answers_with_the_registration(signed_in, make_event, make_user):
    event, guest = make_event(capacity=1), make_user()

    response = signed_in(guest).post(f"/events/{event.pk}/register/")

    body = response.json()
    assert (response.status_code, body["status"], body["position"]) == (201, "confirmed", None)
    assert body["attendee"] == {"id": guest.pk, "username": guest.username}
    assert (body["event"]["id"], body["event"]["title"]) == (event.pk, "Meetup")
    assert response["Location"].endswith(f"/registrations/{body['id']}/")


def test_what_a_body_asks_for_is_ignored(signed_in, make_event, make_user):
    event, guest, other = make_event(requires_approval=True), make_user(), make_user()

    body = signed_in(guest).post(f"/events/{event.pk}/register/", {"status": "confirmed", "user": other.pk}).json()

    assert (body["status"], body["attendee"]["id"]) == ("pending", guest.pk)


def test_the_place_in_the_queue_is_shown(signed_in, make_event, make_user, register):
    event = make_event(capacity=1, waitlist=True)
    register(event), register(event)

    body = signed_in(make_user()).post(f"/events/{event.pk}/register/").json()

    assert (body["status"], body["position"]) == ("waitlisted", 2)


def test_registering_needs_somebody(api, make_event):
    assert api.post(f"/events/{make_event().pk}/register/").status_code == 401


def test_a_refusal_has_its_code(signed_in, make_event, make_user, register, now):
    full, over, cancelled = make_event(capacity=1), make_event(date=now), make_event(status="cancelled")
    early = make_event(registration_opens_at=now + timedelta(hours=1))
    late = make_event(registration_closes_at=now)
    register(full)
    guest = signed_in(make_user())

    answers = [guest.post(f"/events/{event.pk}/register/") for event in (full, over, cancelled, early, late)]

    assert [status_and_code(answer) for answer in answers] == [
        (409, "event_full"),
        (409, "event_started"),
        (409, "event_cancelled"),
        (409, "registration_not_open"),
        (409, "registration_closed"),
    ]


def test_registering_twice_names_the_registration(signed_in, make_event, make_user):
    event, guest = make_event(), signed_in(make_user())
    first = guest.post(f"/events/{event.pk}/register/")

    second = guest.post(f"/events/{event.pk}/register/")

    assert status_and_code(second) == (409, "already_registered")
    assert second.json()["registration"] == first["Location"]


def test_missing_and_hidden_events_look_alike(signed_in, make_event, make_user):
    draft, guest = make_event(status="draft"), signed_in(make_user())

    hidden, missing = (guest.post(f"/events/{pk}/register/") for pk in (draft.pk, draft.pk + 1000))

    assert hidden.status_code == missing.status_code == 404
    assert hidden.json() | {"instance": ""} == missing.json() | {"instance": ""}


def test_everybody_lists_their_own_registrations(signed_in, make_event, make_user, register, now):
    guest = make_user()
    mine = register(make_event(), guest)
    past = register(make_event(date=now + timedelta(hours=1)), guest)
    past.event.__class__.objects.filter(pk=past.event_id).update(date=now - timedelta(hours=24))
    running = register(make_event(date=now + timedelta(hours=1)), guest)
    running.event.__class__.objects.filter(pk=running.event_id).update(date=now - timedelta(seconds=1))
    register(mine.event)

    def listed(**query: Any) -> list[int]:
        return [row["id"] for row in signed_in(guest).get("/registrations/", query).json()["results"]]

    assert (listed(), listed(event=mine.event_id)) == ([running.pk, past.pk, mine.pk], [mine.pk])
    assert (listed(upcoming="true"), listed(upcoming="false")) == ([running.pk, mine.pk], [past.pk])
    assert (listed(ongoing="true"), listed(ongoing="false")) == ([running.pk], [past.pk, mine.pk])
    assert listed(ongoing="false", upcoming="true") == [mine.pk]
    assert (listed(status="confirmed"), listed(status="cancelled")) == ([running.pk, past.pk, mine.pk], [])


@pytest.mark.parametrize("registrations", [1, 5])
def test_listing_registrations_costs_one_query(
    signed_in, make_event, make_user, register, django_assert_num_queries, registrations: int
):
    guest = make_user()
    for _ in range(registrations):
        register(make_event(), guest)

    with django_assert_num_queries(1):
        assert len(signed_in(guest).get("/registrations/").json()["results"]) == registrations


def test_a_registration_is_seen_by_its_attendee_and_the_organizer(signed_in, make_event, make_user, register):
    event, guest = make_event(), make_user()
    address = f"/registrations/{register(event, guest).pk}/"

    own, organizer, stranger = (signed_in(user).get(address) for user in (guest, event.organizer, make_user()))

    assert [answer.status_code for answer in (own, organizer, stranger)] == [200, 200, 404]
    assert ("email" in own.json()["attendee"], organizer.json()["attendee"]["email"]) == (False, guest.email)


def test_the_attendee_cancels_by_patch_and_the_organizer_deletes(signed_in, make_event, make_user, register):
    event, guest = make_event(), make_user()
    first, second = register(event, guest), register(event)

    patched = signed_in(guest).patch(f"/registrations/{first.pk}/", {"status": "cancelled"})
    deleted = signed_in(event.organizer).delete(f"/registrations/{second.pk}/")

    assert (patched.status_code, patched.json()["status"], deleted.status_code) == (200, "cancelled", 204)
    assert signed_in(event.organizer).get(f"/registrations/{second.pk}/").json()["status"] == "cancelled"


def test_refused_steps_have_their_status(signed_in, make_event, make_user, register):
    event, guest = make_event(requires_approval=True), make_user()
    address = f"/registrations/{register(event, guest).pk}/"
    own, stranger = signed_in(guest), signed_in(make_user())

    assert status_and_code(own.put(address, {"status": "confirmed"})) == (403, "not_yours_to_decide")
    refusal = own.delete(address)
    assert status_and_code(refusal) == (403, "not_yours_to_decide")
    assert "PATCH" in refusal.json()["detail"]
    assert own.patch(address, {"status": "excellent"}).status_code == 400
    assert stranger.patch(address, {"status": "cancelled"}).status_code == 404
    own.patch(address, {"status": "cancelled"})
    assert status_and_code(own.patch(address, {"status": "confirmed"})) == (409, "impossible_step")


@pytest.mark.parametrize("field", ["event", "attendee"])
def test_event_and_attendee_never_change(signed_in, make_event, make_user, register, field: str):
    registration = register(make_event())
    client, address = signed_in(registration.attendee), f"/registrations/{registration.pk}/"
    same = {"event": registration.event_id, "attendee": {"id": registration.attendee_id, "username": "x"}}[field]

    others: list[Any] = [4711, "1", None, True, {}, []]
    refused = [client.patch(address, {field: value}) for value in others]

    assert {answer.status_code for answer in refused} == {400}
    assert refused[0].json()["errors"][0]["pointer"] == f"#/{field}"
    assert client.patch(address, {field: same}).status_code == 200


def test_a_registration_put_back_as_it_was_read_changes_nothing(signed_in, make_event, register):
    registration = register(make_event())
    client, address = signed_in(registration.attendee), f"/registrations/{registration.pk}/"
    read = client.get(address).json()

    assert client.put(address, read).json() == read


def test_put_needs_a_status(signed_in, make_event, register):
    registration = register(make_event())

    response = signed_in(registration.attendee).put(f"/registrations/{registration.pk}/", {})

    assert (response.status_code, response.json()["errors"][0]["pointer"]) == (400, "#/status")


def test_a_registration_for_a_deleted_event_stays_readable(signed_in, make_event, register, now):
    registration = register(event := make_event())
    scheduling.delete(event_id=event.pk, caller=SERVICE, now=now)

    body = signed_in(registration.attendee).get(f"/registrations/{registration.pk}/").json()

    assert (body["status"], body["event"]["status"]) == ("cancelled", "cancelled")


# ── The organizer's list ──────────────────────────────────────────────────────────────────────────────────────────────


def test_the_attendee_list_is_the_organizers(api, signed_in, make_event, make_user, register):
    registration = register(event := make_event())
    address = f"/events/{event.pk}/registrations/"

    answers = [client.get(address) for client in (api, signed_in(make_user()), signed_in(registration.attendee))]

    assert [answer.status_code for answer in answers] == [401, 403, 403]
    assert (
        signed_in(event.organizer).get(address).json()["results"][0]["attendee"]["email"] == registration.attendee.email
    )


def test_attendees_are_found_by_status_and_name(signed_in, make_event, make_user, register, now):
    event = make_event()
    ada, bob = register(event, make_user(first_name="Ada")), register(event, make_user(first_name="Bob"))
    booking.remove(registration_id=bob.pk, caller=Caller(event.organizer), now=now)

    def listed(**query: str) -> list[int]:
        found = signed_in(event.organizer).get(f"/events/{event.pk}/registrations/", query)
        return [row["id"] for row in found.json()["results"]]

    assert (listed(), listed(status="cancelled"), listed(search="ADA")) == ([ada.pk, bob.pk], [bob.pk], [ada.pk])


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("zoe", True), ("ZOË", True), ("zoe\u0308", True), ("grosse", True), ("GROẞE zoe", True), ("sisyphos", False),
        ("istanbul", True), ("mail@zoe", True), ("zoe nobody", False), ("zo%", False),
    ],
)  # fmt: skip
def test_attendees_are_found_by_every_word_however_it_is_written(
    signed_in, make_event, make_user, register, search: str, found: bool
):
    person = make_user(first_name="Zoë", last_name="Große", username="İstanbul", email="mail@zoe.example")
    registration = register(event := make_event(), person)
    register(event)

    answer = signed_in(event.organizer).get(f"/events/{event.pk}/registrations/", {"search": search})

    assert [row["id"] for row in answer.json()["results"]] == [registration.pk] * found


def test_names_are_for_who_manages_the_event(signed_in, make_event, make_user, register):
    registration = register(event := make_event(), make_user(first_name="Zoë", last_name="Große"))
    guest = registration.attendee
    seen = {"id": guest.pk, "username": guest.username}
    known = {**seen, "email": guest.email, "first_name": "Zoë", "last_name": "Große"}
    path = f"/registrations/{registration.pk}/"

    assert signed_in(guest).get(path).json()["attendee"] == seen
    assert signed_in(event.organizer).get(path).json()["attendee"] == known
    listed = signed_in(event.organizer).get(f"/events/{event.pk}/registrations/").json()["results"]
    assert [row["attendee"] for row in listed] == [known]


def test_the_organizer_sees_whether_each_attendees_mail_was_sent(signed_in, make_event, register):
    event = make_event()
    told, unreachable, waits = register(event), register(event), register(event)
    OutboxMail.objects.filter(recipient=told.attendee.email).update(state="sent", last_answer="accepted")
    OutboxMail.objects.filter(recipient=unreachable.attendee.email).update(state="dead", last_answer="550 No such user")
    OutboxMail.objects.filter(recipient=waits.attendee.email).update(last_answer="Connection refused")

    rows = signed_in(event.organizer).get(f"/events/{event.pk}/registrations/").json()["results"]

    assert [row["mail"] for row in rows] == [
        {"kind": "registration_confirmed", "state": "sent", "reason": None},
        {"kind": "registration_confirmed", "state": "dead", "reason": "550 No such user"},
        {"kind": "registration_confirmed", "state": "pending", "reason": None},
    ]


def test_nobody_else_sees_what_became_of_a_mail(signed_in, make_event, register):
    registration = register(make_event())

    shown = signed_in(registration.attendee).get(f"/registrations/{registration.pk}/").json()

    assert "mail" not in shown


@pytest.mark.parametrize("people", [1, 5])
def test_the_attendee_list_costs_three_queries(signed_in, make_event, register, django_assert_num_queries, people: int):
    event = make_event()
    for _ in range(people):
        register(event)

    with django_assert_num_queries(3):  # the event, the registrations, the mails
        assert len(signed_in(event.organizer).get(f"/events/{event.pk}/registrations/").json()["results"]) == people


def test_attendees_as_csv_are_safe_in_a_spreadsheet(signed_in, make_event, make_user, register, now):
    event = make_event(timezone="Asia/Tokyo")
    register(event, make_user(username="eve", first_name="＝cmd", last_name='x;=cmd, "Quote"'))

    response = signed_in(event.organizer).get(f"/events/{event.pk}/registrations/?format=csv")

    content = b"".join(response.streaming_content)
    header, line = csv.reader(content.decode("utf-8-sig").splitlines())
    assert content.startswith(codecs.BOM_UTF8)
    assert dict(zip(header, line, strict=True)) | {"id": ""} == {
        "id": "", "username": "eve", "first_name": "'＝cmd", "last_name": "x;'=cmd, \"Quote\"", "position": "",
        "email": "eve@example.org", "status": "confirmed",
        **dict.fromkeys(("registered_at", "updated_at"), now.strftime("%Y-%m-%dT%H:%M:%SZ")),
        **dict.fromkeys(
            ("registered_at_local", "updated_at_local"), f"{now + timedelta(hours=9):%Y-%m-%d %H:%M:%S}"
        ),
    }  # fmt: skip
    assert response["Content-Disposition"] == f'attachment; filename="event-{event.pk}-registrations.csv"'


def test_a_stranger_who_asks_for_csv_gets_a_problem(signed_in, make_event, make_user):
    response = signed_in(make_user()).get(f"/events/{make_event().pk}/registrations/", HTTP_ACCEPT="text/csv")

    assert (response.status_code, response["Content-Type"]) == (403, "application/problem+json")


def test_a_wrong_status_is_told_the_right_ones(signed_in, make_event, register):
    registration = register(make_event())
    refusal = signed_in(registration.attendee).patch(f"/registrations/{registration.pk}/", {"status": "gone"})

    assert refusal.json()["errors"] == [
        {
            "pointer": "#/status",
            "code": "invalid_choice",
            "detail": "One of: pending, confirmed, waitlisted, cancelled.",
        }
    ]


def test_a_body_that_is_no_json_is_refused_before_anything_else(signed_in, make_event, register):
    registration = register(make_event())
    junk = signed_in(registration.attendee).post(
        f"/events/{registration.event_id}/register/", b"{", content_type="application/json"
    )

    assert status_and_code(junk) == (400, "invalid_json")
