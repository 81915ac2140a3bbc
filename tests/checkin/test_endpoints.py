"""The door over HTTP: shapes, statuses, who sees what, and input that cannot be meant."""

import csv
import io
import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import zxingcpp
from PIL import Image

from jointoit.accounts import keys
from jointoit.accounts.callers import Caller, DoorKeeper
from jointoit.events import booking, door_passes
from jointoit.events.models import DoorPass, Membership, Registration
from jointoit.mail import links
from jointoit.mail.models import OutboxMail
from jointoit.tickets import tokens
from tests.checkin.conftest import code_of, token_of
from tests.client import ServiceClient


@pytest.fixture
def api(event, signed_in):
    """The organizer's client."""
    return signed_in(event.organizer)


@pytest.fixture
def by_pass(event, now):
    _, text = door_passes.create(caller=Caller(event.organizer), event_id=event.pk, label="Side", now=now)
    return ServiceClient(HTTP_AUTHORIZATION=f"Bearer {text}")


@pytest.fixture
def scans(event):
    return f"/events/{event.pk}/checkin/scans/"


def body(**fields):
    return {"id": str(uuid4()), **fields}


# ── Tickets ──


def test_a_ticket_is_shown_drawn_and_good_at_the_door(api, scans, guest, signed_in):
    holder = signed_in(guest.attendee)
    ticket = holder.get(f"/registrations/{guest.pk}/ticket/")
    picture = holder.get(ticket.json()["png"].partition("8000")[2])
    [read] = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture.content)))

    assert ticket["Cache-Control"] == picture["Cache-Control"] == "no-store"
    assert read.text == ticket.json()["token"]
    assert api.post(scans, body(token=read.text)).json()["result"] == "admitted"
    assert links.ticket_of(ticket.json()["page"].split("/")[-2]) == (guest.pk, 1)


def test_a_ticket_costs_one_query(signed_in, guest, django_assert_num_queries):
    client = signed_in(guest.attendee)

    with django_assert_num_queries(1):
        client.get(f"/registrations/{guest.pk}/ticket/")


def test_a_ticket_that_is_replaced_is_void_at_once(api, scans, guest, signed_in, mails):
    holder = signed_in(guest.attendee)
    old = token_of(guest)
    new = holder.post(f"/registrations/{guest.pk}/ticket/reissue/").json()

    assert [api.post(scans, body(token=token)).json()["reason"] for token in (old, new["token"])] == ["reissued", None]
    assert api.post(scans, body(code=code_of(guest))).json()["reason"] == "reissued"
    assert mails(guest.attendee)[-1] == "ticket_reissued"
    assert OutboxMail.objects.get(kind="registration_confirmed").state == "superseded"


def test_who_is_in_gets_no_other_ticket(api, scans, guest):
    api.post(scans, body(token=token_of(guest)))

    assert api.post(f"/registrations/{guest.pk}/ticket/reissue/").json()["code"] == "already_admitted"


def test_a_seat_by_the_waiting_list_has_a_ticket_in_its_mail(make_event, register, mails, now):
    event = make_event(capacity=1, waitlist=True)
    held, waiting = register(event), register(event)
    booking.set_status(registration_id=held.pk, caller=Caller(event.organizer), status="cancelled", now=now)

    promised = OutboxMail.objects.get(kind="registration_promoted")
    assert (promised.payload["registration_id"], promised.payload["ticket_issue"]) == (waiting.pk, 1)


# ── Scans ──


def test_a_scan_is_answered_and_the_same_again_has_the_same_bytes(by_pass, scans, guest, event):
    sent = body(token=token_of(guest), gate="North", scanned_at="2020-01-01T00:00:00Z")
    first, again = by_pass.post(scans, sent), by_pass.post(scans, sent)

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.content == again.content
    found = first.json()
    assert found | {"by": None, "received_at": None} == {
        "id": sent["id"], "event": event.pk, "registration": guest.pk, "name": guest.attendee.username,
        "result": "admitted", "reason": None, "gate": "North", "by": None, "scanned_at": "2020-01-01T00:00:00Z",
        "received_at": None, "first": None,
    }  # fmt: skip


def test_the_answer_to_a_scan_never_changes(api, scans, guest, event):
    sent = body(token=token_of(guest))
    first = api.post(scans, sent)
    api.delete(f"{scans}{sent['id']}/")
    Registration.objects.filter(pk=guest.pk).update(status="cancelled")

    assert api.post(scans, sent).content == first.content


@pytest.mark.parametrize("later", [0, 3600])
def test_a_scan_is_never_later_than_its_arrival(api, scans, guest, now, later):
    at = (now + timedelta(seconds=later)).isoformat()
    found = api.post(scans, body(token=token_of(guest), scanned_at=at)).json()

    assert found["scanned_at"] <= found["received_at"]


def test_a_dry_run_says_what_would_be(api, scans, guest):
    dry = [api.post(f"{scans}?dry_run=true", body(code=code_of(guest))) for _ in range(2)]

    assert [(each.status_code, each.json()["result"]) for each in dry] == [(200, "admitted")] * 2
    assert api.get(scans).json()["results"] == []


def test_a_scan_costs_three_queries_and_never_holds_the_event(scans, guest, by_pass, django_assert_num_queries):
    """The pass, a look, and one that holds and writes."""
    with django_assert_num_queries(3) as seen:
        by_pass.post(scans, body(token=token_of(guest)))

    assert not [query for query in seen.captured_queries if "UPDATE events_event" in query["sql"]]


GOOD_ID = "3f0f9d0e-8b0c-4f0e-9d5e-2a1d6f6f7a10"
NO_TOKENS: list[Any] = ["J" * 10_240, 7, None, ["x"], {}]
WRONG: dict[str, list[dict[str, Any]]] = {
    "id": [{"token": "x"}, *({"id": wrong, "token": "x"}
                             for wrong in (7, None, "x", GOOD_ID.replace("-", ""), f"{{{GOOD_ID}}}"))],
    "non_field_errors": [{"id": GOOD_ID}, {"id": GOOD_ID, "token": "x", "code": "y"},
                         {"id": GOOD_ID, "registration": 1, "code": "y"}],
    "token": [{"id": GOOD_ID, "token": token} for token in NO_TOKENS],
    "code": [{"id": GOOD_ID, "code": each} for each in ("7" * 65, 7, None)],
    "registration": [{"id": GOOD_ID, "registration": each} for each in (0, -1, "1", True, 1.5, None)],
    "gate": [{"id": GOOD_ID, "token": "x", "gate": each} for each in ("a\nb", "x" * 51, 7, "\u200b", "a\u2028b")],
    "scanned_at": [{"id": GOOD_ID, "token": "x", "scanned_at": each}
                   for each in ("2030-05-17T18:00:00", "x", 7, None, "0000-01-01T00:00:00Z", "2030-05-17T18:00:60Z")],
}  # fmt: skip
WRONG_SCANS = [(name, each) for name, found in WRONG.items() for each in found]


@pytest.mark.parametrize(("field", "sent"), WRONG_SCANS, ids=lambda value: str(value)[:60])
def test_a_scan_with_a_wrong_field_is_refused_by_name(api, scans, field, sent):
    answer = api.post(scans, sent)

    assert answer.status_code == 400
    named = {
        entry["pointer"].removeprefix("#").removeprefix("/") or "non_field_errors" for entry in answer.json()["errors"]
    }
    assert named == {field}
    assert b"JJJJ" not in answer.content


TICKETS = [
    lambda token: token.lower(), lambda token: f"{token}=", lambda token: token[4:], lambda token: "",
    lambda token: "\n", lambda token: "https://example.org/?a=b\r\nWIFI:T:WPA;S:ä;;", lambda token: token[:-1] + "B",
    lambda token: "J" * 4296,
]  # fmt: skip


@pytest.mark.parametrize("change", TICKETS)
def test_whatever_else_a_camera_reads_is_forged(api, scans, guest, change):
    answer = api.post(scans, body(token=change(token_of(guest))))

    assert (answer.status_code, answer.json()["reason"], answer.json()["name"]) == (201, "forged", None)


def test_a_code_is_forgiven_what_people_do(api, scans, guest):
    typed = code_of(guest).lower().replace("0", "o").replace("1", "I").replace("-", " ")
    wrong = code_of(guest)[:-1] + ("A" if code_of(guest)[-1] != "A" else "B")

    answers = [api.post(scans, body(code=each)).json() for each in (wrong, typed)]
    assert [(each["result"], each["reason"]) for each in answers] == [("refused", "unknown_code"), ("admitted", None)]


@pytest.mark.parametrize("query", ["dry_run=maybe", "dry_run=true&dry_run=true"])
def test_a_wrong_parameter_beside_a_body_is_named(api, scans, query):
    answer = api.post(f"{scans}?{query}", body(token="x"))

    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (400, "dry_run")


# ── Batches ──


def test_a_batch_is_answered_in_its_order_with_what_contradicts(api, scans, event, register, guest, now):
    other = register(event)
    stamp = [(now - timedelta(minutes=minutes)).isoformat() for minutes in (5, 4, 3)]
    sent = [
        body(token=token_of(guest), gate="A", scanned_at=stamp[1]), body(token="x", scanned_at=stamp[0]),
        body(code=code_of(other), scanned_at=stamp[2]), body(token=token_of(guest), gate="B", scanned_at=stamp[0]),
    ]  # fmt: skip
    answer = api.post(f"{scans}batch/", {"device_time": now.isoformat(), "scans": sent}).json()

    assert [each["id"] for each in answer["results"]] == [each["id"] for each in sent]
    assert [each["scan"]["reason"] for each in answer["results"]] == ["already_admitted", "forged", None, None]
    [conflict] = answer["conflicts"]
    assert [each["gate"] for each in conflict["scans"]] == ["B", "A"]
    listed = api.get(f"{scans}?conflict=true").json()["results"]
    assert [each["id"] for each in listed] == [sent[0]["id"]]


def test_one_id_that_is_taken_loses_none_of_the_others(api, scans, guest, now):
    taken = body(token="x")
    api.post(scans, taken)
    sent = [taken | {"token": "y"}, body(token=token_of(guest))]
    answer = api.post(f"{scans}batch/", {"device_time": now.isoformat(), "scans": sent})

    assert answer.status_code == 200
    assert [(each["error"], each["scan"] and each["scan"]["result"]) for each in answer.json()["results"]] == [
        ("scan_id_reused", None), (None, "admitted"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("sent", "pointer"),
    [
        ({"scans": [body(token="x")]}, "#/device_time"), ({"device_time": "2030-01-01T00:00:00Z"}, "#/scans"),
        ({"device_time": "2030-01-01T00:00:00Z", "scans": []}, "#/scans"),
        ({"device_time": "2030-01-01T00:00:00Z", "scans": [{"id": "x", "token": "x"}]}, "#/scans/0/id"),
        ({"device_time": "2030-01-01T00:00:00Z", "scans": [body(token="x") for _ in range(201)]}, "#/scans"),
        ({"device_time": "2030-01-01T00:00:00", "scans": [body(token="x")]}, "#/device_time"),
    ],
)  # fmt: skip
def test_a_batch_that_cannot_be_meant_is_refused_by_name(api, scans, sent, pointer):
    answer = api.post(f"{scans}batch/", sent)

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)


def test_two_hundred_full_scans_fit_into_one_batch(api, scans, event, register, now):
    """The largest tokens, gates and times."""
    token = tokens.sign(tokens.Ticket(2**63 - 1, 2**63 - 1, 65_535))
    sent = [
        body(token=token, gate="ä" * 25, scanned_at=f"2030-05-17T18:00:00.{number:06}+02:00") for number in range(200)
    ]
    answer = api.post(f"{scans}batch/", {"device_time": now.isoformat(), "scans": sent})

    assert (answer.status_code, len(answer.json()["results"])) == (200, 200)


# ── Log ──


def test_who_is_at_the_door_sees_own_scans(api, by_pass, scans, event, register):
    for client in (api, by_pass):
        client.post(scans, body(token=token_of(register(event)), gate="North"))

    assert [len(client.get(scans).json()["results"]) for client in (api, by_pass)] == [2, 1]
    assert len(api.get(f"{scans}?gate=North&result=admitted").json()["results"]) == 2
    assert len(api.get(f"{scans}?gate=South").json()["results"]) == 0


def test_an_account_and_a_pass_of_the_same_number_are_two(event, scan, scans, guest, make_user, now, signed_in):
    helper = make_user()
    Membership.objects.create(owner=event.organizer, event=event, member=helper, role="door", since=now)
    DoorPass.objects.create(pk=helper.pk, event=event, label="Side", created_at=now, expires_at=event.ends_at)
    scan(guest, caller=Caller(door=DoorKeeper(helper.pk, event.pk)))

    assert signed_in(helper).get(scans).json()["results"] == []


def test_the_log_is_a_file_for_who_manages_the_event(api, by_pass, scans, event, register, make_user):
    guest = register(event, make_user(first_name="=cmd()", last_name="X"))
    sent = body(token=token_of(guest), gate="+1")
    api.post(scans, sent)
    api.delete(f"{scans}{sent['id']}/")
    answer = api.get(scans, HTTP_ACCEPT="text/csv")
    [row] = csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig")))

    assert (row["id"], row["name"], row["gate"], row["conflict"]) == (sent["id"], "'=cmd() X", "'+1", "false")
    assert row["undone_at"]
    assert by_pass.get(scans, HTTP_ACCEPT="text/csv").status_code == 403


def test_a_list_of_scans_costs_two_queries(api, scans, event, register, django_assert_num_queries):
    for _ in range(3):
        api.post(scans, body(token=token_of(register(event))))

    with django_assert_num_queries(2):
        api.get(scans)


# ── Roster and search ──


def roster(client, event, **query):
    return client.get(f"/events/{event.pk}/checkin/roster/", query)


def test_the_roster_has_who_has_a_seat(by_pass, event, scans, register, make_user):
    ada = register(event, make_user(first_name="Ada", last_name="Lovelace"))
    pending = register(event)
    Registration.objects.filter(pk=pending.pk).update(status="pending")
    at = by_pass.post(scans, body(token=token_of(ada))).json()["scanned_at"]

    assert roster(by_pass, event).json()["results"] == [
        {"registration": ada.pk, "issue": 1, "name": "Ada Lovelace", "admitted_at": at}
    ]


def test_what_changed_since_is_told_with_tombstones(by_pass, api, event, scans, register, now, signed_in):
    stays, goes, enters, replaced = (register(event) for _ in range(4))
    since = roster(by_pass, event).json()["since"]
    booking.set_status(registration_id=goes.pk, caller=Caller(event.organizer), status="cancelled", now=now)
    by_pass.post(scans, body(token=token_of(enters)))
    signed_in(replaced.attendee).post(f"/registrations/{replaced.pk}/ticket/reissue/")
    comes = register(event)
    changed = {each["registration"]: each for each in roster(by_pass, event, since=since).json()["results"]}

    assert changed.keys() >= {goes.pk, enters.pk, replaced.pk, comes.pk}
    assert changed[goes.pk] == {"registration": goes.pk, "issue": None, "name": None, "admitted_at": None}
    assert (changed[replaced.pk]["issue"], bool(changed[enters.pk]["admitted_at"])) == (2, True)
    assert stays.pk not in changed or changed[stays.pk]["issue"] == 1


def test_the_roster_is_read_in_pages_that_carry_one_since(by_pass, event, register):
    seats = [register(event).pk for _ in range(5)]
    page, found = roster(by_pass, event, page_size=2).json(), []
    since = page["since"]
    while True:
        found += [each["registration"] for each in page["results"]]
        assert page["since"] == since
        if page["next"] is None:
            break
        page = by_pass.get(page["next"].partition("8000")[2]).json()

    assert found == seats


@pytest.mark.parametrize("since", ["x", "junk.junk.junk"])
def test_a_since_that_is_not_of_this_roster_begins_anew(by_pass, event, since):
    assert roster(by_pass, event, since=since).status_code == roster(by_pass, event, as_of=since).status_code == 410


def test_a_since_of_another_event_or_of_long_ago_begins_anew(api, event, make_event, signed_in, monkeypatch):
    other = make_event()
    foreign = roster(signed_in(other.organizer), other).json()["since"]
    own = roster(api, event).json()["since"]
    monkeypatch.setattr("jointoit.checkin.roster.KEPT", timedelta(seconds=-1))

    assert [roster(api, event, since=each).json()["code"] for each in (foreign, own)] == ["resync"] * 2


def test_people_are_found_by_name_and_never_by_address(by_pass, event, register, make_user):
    ada = register(event, make_user(first_name="Ada", last_name="Łovelace", email="secret@hidden.example"))
    register(event, make_user(first_name="Grace", last_name="Hopper"))

    def found(words):
        answer = by_pass.get(f"/events/{event.pk}/checkin/search/", {"q": words})
        return [each["registration"] for each in answer.json()["results"]]

    assert [found(words) for words in ("lovel", "LOVE ada", "ada hopper", "hidden", "secret")] == [
        [ada.pk], [ada.pk], [], [], [],
    ]  # fmt: skip


@pytest.mark.parametrize("q", [None, "", "a", " a ", "x" * 201])
def test_a_search_says_at_least_two_characters(by_pass, event, q):
    answer = by_pass.get(f"/events/{event.pk}/checkin/search/", {} if q is None else {"q": q})

    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (400, "q")


def test_at_most_twenty_are_found(by_pass, event, register, make_user):
    for _ in range(21):
        register(event, make_user(first_name="Ada"))

    assert len(by_pass.get(f"/events/{event.pk}/checkin/search/?q=ada").json()["results"]) == 20


# ── Who comes with what ──


def test_whoever_is_at_the_door_never_sees_an_address(by_pass, api, event, scans, register, make_user, now):
    """A walk over every answer of the door."""
    guests = [register(event, make_user(email=f"guest{n}@private.example")) for n in range(3)]
    sent = [body(token=token_of(guest)) for guest in (guests[0], *guests)]
    door = f"/events/{event.pk}/checkin/"
    answers = [
        *(by_pass.post(scans, each) for each in (*sent, sent[0])),
        by_pass.post(f"{scans}batch/", {"device_time": now.isoformat(), "scans": sent}),
        *(by_pass.get(f"{door}{path}") for path in ("", "scans/", "roster/", "search/?q=us", "search/?q=private")),
        by_pass.delete(f"{scans}{sent[0]['id']}/"), by_pass.get(f"/events/{event.pk}/registrations/"),
        by_pass.get(f"/registrations/{guests[0].pk}/"), by_pass.post(scans, {}),
    ]  # fmt: skip

    assert [answer.status_code for answer in answers] == [201] * 4 + [200] * 7 + [204, 401, 401, 400]
    assert not [answer for answer in answers if b"private.example" in answer.content or b"@" in answer.content]


@pytest.mark.parametrize("how", ["revoked", "expired", "typo", "unknown", "secret"])
def test_every_pass_that_is_not_good_gets_the_same_401(event, now, how):
    made, text = door_passes.create(caller=Caller(event.organizer), event_id=event.pk, label="Side", now=now)
    if how == "revoked":
        door_passes.revoke(caller=Caller(event.organizer), event_id=event.pk, pass_id=made.pk, now=now)
    if how == "expired":
        type(made).objects.filter(pk=made.pk).update(expires_at=now)
    secret = keys.random_secret()
    sent = {
        "typo": f"{text[:-1]}{'a' if text[-1] != 'a' else 'b'}", "unknown": keys.written(2**40, secret, prefix="jtd"),
        "secret": keys.written(made.pk, secret, prefix="jtd"),
    }.get(how, text)  # fmt: skip
    answer = ServiceClient(HTTP_AUTHORIZATION=f"Bearer {sent}").get(f"/events/{event.pk}/checkin/")
    junk = ServiceClient(HTTP_AUTHORIZATION="Bearer junk").get(f"/events/{event.pk}/checkin/")

    def shape(response):
        return response.status_code, json.loads(response.content) | {"instance": None}, response["WWW-Authenticate"]

    assert shape(answer) == shape(junk)


def test_a_pass_is_for_the_door_of_its_event_alone(by_pass, event, make_event, guest):
    other = make_event()

    assert [by_pass.get(path).status_code for path in (
        f"/events/{event.pk}/checkin/", f"/events/{other.pk}/checkin/", f"/events/{event.pk}/", "/users/me/",
    )] == [200, 403, 401, 401]  # fmt: skip


def test_doors_have_a_rate_of_their_own(by_pass, event, settings):
    settings.RATES = dict.fromkeys(settings.RATES, "off") | {"user": "1/day", "door": "2/day"}

    assert [by_pass.get(f"/events/{event.pk}/checkin/").status_code for _ in range(3)] == [200, 200, 429]
