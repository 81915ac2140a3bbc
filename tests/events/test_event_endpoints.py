from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jointoit.api import fields
from jointoit.events.models import Event
from jointoit.events.serializers import EventSerializer

FUTURE = "2099-05-17T18:00:00Z"


def new_event(**fields: Any) -> dict[str, Any]:
    return {"title": "Launch", "date": FUTURE, "location": "Berlin"} | fields


def codes(response: Any) -> dict[str, str]:
    """What was wrong: the code of each error by the field or parameter it names."""
    return {error.get("pointer", error.get("parameter")): error["code"] for error in response.json()["errors"]}


# ── Reading ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_listed_event_shows_what_its_detail_shows(api, make_event):
    event = make_event(capacity=3, tags=["music"])

    listed = api.get("/events/").json()["results"]

    assert listed == [api.get(f"/events/{event.pk}/").json()]
    assert (tuple(listed[0]), listed[0]["seats_left"]) == (tuple(EventSerializer().fields), 3)


def test_a_row_renders_as_the_serializer_would(api, make_event):
    event = make_event(capacity=3, ends_at=datetime(2099, 1, 1, 12, 30, 0, 250, tzinfo=UTC))

    assert api.get(f"/events/{event.pk}/").json() == EventSerializer(event).data


def test_times_are_written_in_utc(api, make_event):
    event = make_event(date=datetime(2099, 5, 17, 18, 0, tzinfo=UTC))

    assert api.get(f"/events/{event.pk}/").json()["date"] == FUTURE


def test_events_come_in_the_order_of_their_dates_then_ids(api, make_event, now):
    late, early, same = (make_event(date=now + timedelta(days=days)) for days in (3, 1, 3))

    assert [row["id"] for row in api.get("/events/").json()["results"]] == [early.pk, late.pk, same.pk]


@pytest.mark.parametrize("events", [1, 5])
def test_listing_costs_one_query_and_two_with_the_count(api, make_event, django_assert_num_queries, events: int):
    for _ in range(events):
        make_event()

    with django_assert_num_queries(1):
        assert len(api.get("/events/").json()["results"]) == events
    with django_assert_num_queries(2):
        assert api.get("/events/?count=exact").json()["count"] == events


def test_a_detail_costs_one_query(api, make_event, django_assert_num_queries):
    event = make_event()

    with django_assert_num_queries(1):
        api.get(f"/events/{event.pk}/")


def test_a_draft_is_seen_by_its_organizer_only(api, signed_in, make_event, make_user):
    draft = make_event(status="draft")

    own, stranger = signed_in(draft.organizer), signed_in(make_user())

    assert [client.get(f"/events/{draft.pk}/").status_code for client in (own, stranger, api)] == [200, 404, 404]
    assert [len(client.get("/events/").json()["results"]) for client in (own, stranger, api)] == [1, 0, 0]


@pytest.mark.parametrize("pk", ["0", "-1", "9223372036854775808", "abc", "1.0", "01", "%D9%A5"])
def test_what_is_no_id_is_not_found(api, db, pk: str):
    response = api.get(f"/events/{pk}/")

    assert (response.status_code, response.json()["code"]) == (404, "not_found")


# ── Filters ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("title", "query"),
    [
        ("İstanbul gecesi", "istanbul"),
        ("Ankara", "ANKARA"),
        ("Зустріч у Києві", "ЗУСТРІЧ У КИЄВІ"),
        ("The ﬁnal", "FINAL"),
        ("Straßenfest", "STRASSE"),
        ("100% real_life \\o/", "100% real_life \\"),
    ],
)
@pytest.mark.parametrize("field", ["title", "location"])
def test_text_is_found_in_any_case_and_script(api, make_event, title: str, query: str, field: str):
    wanted = make_event(**{field: title})
    make_event(**{field: "100 x realXlife o"})

    assert [row["id"] for row in api.get("/events/", {field: query}).json()["results"]] == [wanted.pk]


def test_a_day_is_read_in_the_zone_that_is_asked_for(api, make_event):
    berlin_midnight = make_event(date=datetime(2099, 5, 16, 22, 0, tzinfo=UTC))
    last_minute = make_event(date=datetime(2099, 5, 17, 21, 59, 59, tzinfo=UTC))
    make_event(date=datetime(2099, 5, 17, 22, 0, tzinfo=UTC))

    found = api.get("/events/", {"date": "2099-05-17", "timezone": "Europe/Berlin"}).json()["results"]

    assert [row["id"] for row in found] == [berlin_midnight.pk, last_minute.pk]


@pytest.mark.parametrize(
    ("date", "days"), [("2098", [1]), ("2099", [2, 3, 4]), ("2099-05", [3, 4]), ("2099-12", []), ("2099-05-17", [4])]
)
def test_a_date_is_a_year_a_month_or_a_day(api, make_event, date: str, days: list[int]):
    when = [(2098, 12, 31, 23), (2099, 1, 1, 0), (2099, 5, 1, 0), (2099, 5, 17, 12)]
    pks = [make_event(date=datetime(*moment, tzinfo=UTC)).pk for moment in when]

    found = api.get("/events/", {"date": date}).json()["results"]

    assert [row["id"] for row in found] == [pks[day - 1] for day in days]


def test_filters_combine(api, make_event, make_user, now):
    organizer = make_user()
    wanted = make_event(organizer=organizer, title="Jazz", location="Paris", tags=["music"], capacity=1)
    for other in ({"title": "Rock"}, {"location": "Rome"}, {"tags": []}, {"organizer": make_user()}, {"date": now}):
        make_event(**{"organizer": organizer, "title": "Jazz", "location": "Paris", "tags": ["music"]} | other)

    query = {"title": "jazz", "location": "par", "organizer": organizer.pk, "tag": "MUSIC", "upcoming": "true"}
    found = api.get("/events/", query | {"has_seats": "true", "status": "published", "ordering": "-date"})

    assert [row["id"] for row in found.json()["results"]] == [wanted.pk]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("date=2026-13", "date"), ("date=26", "date"), ("date=2026-02-30", "date"), ("date=2026/05", "date"),
        ("date=%00", "date"), ("date=٢٠٢٦", "date"), ("date=0000", "date"), ("date=9999-12-31", "date"),
        ("timezone=Mars/Base", "timezone"), ("timezone=localtime", "timezone"), ("timezone=Factory", "timezone"),
        ("timezone=..%2Fetc", "timezone"),
        ("organizer=abc", "organizer"), ("organizer=" + "9" * 40, "organizer"), ("organizer=%00", "organizer"),
        ("organizer=0", "organizer"), ("cursor=junk", "cursor"), ("page_size=0", "page_size"),
        ("page_size=-1", "page_size"), ("page_size=101", "page_size"), ("page_size=1e3", "page_size"),
        ("ordering=password", "ordering"), ("title=%00", "title"), ("title=" + "x" * 10_000, "title"),
        ("title=a&title=b", "title"), ("ordering=date&ordering=title", "ordering"), ("has_seats=yes", "has_seats"),
        ("date_from=2099-01-02T00:00:00Z&date_to=2099-01-01T00:00:00Z", "date_from"), ("date_from=2099", "date_from"),
        ("status=gone", "status"), ("count=all", "count"),
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_named(api, db, query: str, parameter: str):
    response = api.get(f"/events/?{query}")

    assert (response.status_code, list(codes(response))) == (400, [parameter])


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("timezone=UTC&date=&timezone=UTC", ["date", "timezone"]),
        ("upcoming=x&organizer=x&title=a&title=b", ["title", "organizer", "upcoming"]),
        ("date_to=2099-01-01T00:00:00Z&date_from=2099-01-02T00:00:00Z&date_to=2099-01-01T00:00:00Z", ["date_to"]),
    ],
)
def test_everything_that_is_wrong_is_named_in_the_order_of_the_document(api, db, query: str, named: list[str]):
    assert [each["parameter"] for each in api.get(f"/events/?{query}").json()["errors"]] == named


def test_the_names_of_time_zones_are_read_from_the_disk_once(api, db, monkeypatch):
    assert api.get("/events/?date=2099&timezone=Europe/Berlin").status_code == 200
    monkeypatch.setattr(fields, "available_timezones", None)

    assert api.get("/events/?date=2099&timezone=Asia/Tokyo").status_code == 200


@pytest.mark.parametrize("name", ["ordering", "cursor", "organizer", "timezone", "date", "status"])
def test_what_was_sent_is_never_repeated(api, db, name: str):
    assert b"hunter2" not in api.get("/events/", {name: "hunter2"}).content


def test_a_text_is_as_long_as_it_was_sent_whatever_it_is_folded_to(api, db):
    ligature = "\ufdfa"  # folds to eighteen letters

    assert api.get("/events/", {"title": ligature * 200}).status_code == 200
    refused = api.get("/events/", {"title": ligature * 201}).json()
    assert [error["detail"] for error in refused["errors"]] == ["At most 200 characters."]


def test_parameters_that_nobody_knows_are_ignored(api, make_event):
    make_event()

    assert len(api.get("/events/?utm_source=x&utm_source=y").json()["results"]) == 1


# ── Writing ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_creating_takes_three_fields_and_makes_the_caller_the_organizer(signed_in, make_user):
    organizer = make_user()

    response = signed_in(organizer).post("/events/", new_event())

    body = response.json()
    assert (response.status_code, body["organizer"], body["status"]) == (201, organizer.pk, "published")
    assert (body["date"], body["timezone"], body["capacity"], body["seats_taken"]) == (FUTURE, "UTC", None, 0)
    assert response["Location"].endswith(f"/events/{body['id']}/")


def test_an_anonymous_caller_creates_nothing(api, db):
    response = api.post("/events/", new_event())

    assert (response.status_code, Event.objects.count()) == (401, 0)
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_what_the_server_decides_is_ignored_in_a_body(signed_in, make_user):
    organizer = make_user()

    body = signed_in(organizer).post("/events/", new_event(organizer=0, id=9, seats_taken=5, waiting=3)).json()

    assert (body["organizer"], body["seats_taken"], body["waiting"]) == (organizer.pk, 0, 0)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[
            ("title", value)
            for value in ("", "   ", "x" * 256, 7, "a\r\nBcc: x@y.z", "a\x0bb", "a\u2028b", "\u200b", None)
        ],
        *[("capacity", value) for value in (0, -1, 2**31, 1.5, True, "1_000", "٥", "5")],
        *[
            ("date", value)
            for value in (
                "2099-05-17T18:00:00", "2001-01-01T00:00:00Z", "2030-W01-1", "2099-05-17T24:00:00Z",
                "0000-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "2099-02-30T00:00:00Z", 4070908800, None,
            )
        ],
        ("ends_at", FUTURE), ("ends_at", "2099-05-17T17:59:59Z"), ("timezone", "Mars/Base"), ("timezone", 1),
        ("waitlist", "yes"), ("waitlist", 1), ("status", "cancelled"), ("status", "gone"), ("tags", "music"),
        ("registration_closes_at", "soon"), ("description", "x" * 20_001), ("description", "a\x00b"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named_and_creates_nothing(signed_in, make_user, field: str, value: Any):
    response = signed_in(make_user()).post("/events/", new_event(**{field: value}))

    assert (response.status_code, Event.objects.count()) == (400, 0)
    assert list(codes(response)) == ["#" if "\0" in str(value) else f"#/{field}"]  # NUL is refused by the parser


def test_a_wrong_tag_is_named_by_its_place(signed_in, make_user):
    response = signed_in(make_user()).post("/events/", new_event(tags=["ok", ""]))

    assert (response.status_code, list(codes(response))) == (400, ["#/tags/1"])


def test_patch_changes_one_field_and_put_leaves_what_it_does_not_name(signed_in, make_event):
    event = make_event(capacity=5, tags=["music"])
    client = signed_in(event.organizer)

    patched = client.patch(f"/events/{event.pk}/", {"title": "Renamed"}).json()
    put = client.put(f"/events/{event.pk}/", new_event(title="Again")).json()

    assert (patched["title"], patched["capacity"]) == ("Renamed", 5)
    assert (put["title"], put["location"], put["capacity"], put["tags"]) == ("Again", "Berlin", 5, ["music"])


def test_put_asks_for_all_that_creating_asks_for(signed_in, make_event):
    event = make_event()

    response = signed_in(event.organizer).put(f"/events/{event.pk}/", {"title": "Only this"})

    assert (response.status_code, codes(response)) == (400, {"#/date": "required", "#/location": "required"})


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_only_the_organizer_changes_an_event(api, signed_in, make_event, make_user, method: str):
    event = make_event()

    answers = [getattr(client, method)(f"/events/{event.pk}/", new_event()) for client in (api, signed_in(make_user()))]

    event.refresh_from_db()
    assert [answer.status_code for answer in answers] == [401, 403]
    assert (event.title, event.deleted_at) == ("Meetup", None)


@pytest.mark.parametrize("verb", ["publish", "cancel"])
def test_only_the_organizer_takes_a_step(api, signed_in, make_event, make_user, verb: str):
    event = make_event()

    answers = [client.post(f"/events/{event.pk}/{verb}/") for client in (api, signed_in(make_user()))]

    assert [answer.status_code for answer in answers] == [401, 403]
    assert signed_in(event.organizer).post(f"/events/{event.pk}/{verb}/").status_code == 200


def test_a_deleted_event_is_gone_for_everybody(signed_in, make_event):
    event = make_event()
    client = signed_in(event.organizer)

    assert client.delete(f"/events/{event.pk}/").status_code == 204

    assert client.get(f"/events/{event.pk}/").status_code == client.delete(f"/events/{event.pk}/").status_code == 404


def test_capacity_below_the_confirmed_seats_is_a_conflict(signed_in, make_event, register):
    event = make_event(capacity=3)
    register(event), register(event)

    response = signed_in(event.organizer).patch(f"/events/{event.pk}/", {"capacity": 1})

    assert (response.status_code, response.json()["code"]) == (409, "capacity_below_confirmed")


def test_the_calendar_entry_of_an_event_is_public(api, make_event):
    event = make_event(title="Launch; and, more")

    response = api.get(f"/events/{event.pk}/calendar.ics")

    assert (response.status_code, response["Content-Type"]) == (200, "text/calendar; charset=utf-8")
    assert b"SUMMARY:Launch\\; and\\, more" in response.content
