"""`Prefer: handling=strict`, and members that never change."""

from uuid import UUID

import pytest

from config import urls
from jointoit.events.models import Event
from tests.conformance import document, template

STRICT = {"HTTP_PREFER": "respond-async, handling=strict"}


@pytest.fixture
def event(make_event, make_user):
    return make_event(organizer=make_user(username="ada"))


@pytest.fixture
def ada(event, signed_in):
    return signed_in(event.organizer)


def errors(response):
    return [(each.get("pointer") or each.get("parameter"), each["code"]) for each in response.json()["errors"]]


def test_an_unknown_member_is_ignored_unless_the_sender_asks(ada, event):
    path = f"/events/{event.pk}/"

    ignored, refused = ada.patch(path, {"titel": "x"}), ada.patch(path, {"titel": "x"}, **STRICT)

    assert (ignored.status_code, "Preference-Applied" in ignored) == (200, False)
    assert (refused.status_code, errors(refused)) == (400, [("#/titel", "unknown_member")])
    assert "perhaps title is meant" in refused.json()["errors"][0]["detail"]
    assert refused["Preference-Applied"] == "handling=strict"


@pytest.mark.parametrize(
    "path", ["/events/", "/events/{event}/", "/users/me/", "/registrations/", "/events/{event}/team/"]
)
def test_an_unknown_parameter_is_ignored_unless_the_sender_asks(ada, event, path):
    path = f"{path.replace('{event}', str(event.pk))}?upcomming=true"

    refused = ada.get(path, **STRICT)

    assert ada.get(path).status_code == 200
    assert (refused.status_code, errors(refused)) == (400, [("upcomming", "unknown_parameter")])


BODIES = [
    ("/events/{event}/checkin/scans/", {"id": str(UUID(int=1)), "code": "x", "gat": "North"}, "#/gat"),
    (
        "/events/{event}/checkin/scans/batch/",
        {"device_time": "2030-01-01T00:00Z", "scans": [{"id": str(UUID(int=1)), "code": "x", "gat": "North"}]},
        "#/scans/0/gat",
    ),
    ("/webhooks/", {"url": "https://x.example/", "types": ["event.created"], "enabld": False}, "#/enabld"),
]


@pytest.mark.parametrize(("path", "body", "pointer"), BODIES)
def test_programs_of_the_door_and_of_webhooks_hear_of_unknown_members_too(ada, event, path, body, pointer):
    refused = ada.post(path.format(event=event.pk), body, **STRICT)

    assert (refused.status_code, errors(refused)) == (400, [(pointer, "unknown_member")])


def test_a_strict_caller_may_send_every_parameter_that_the_document_names():
    views = {template(str(route.pattern)): route.callback for route in urls.urlpatterns if hasattr(route, "callback")}
    refused = [
        f"{method} {path} {parameter['name']}"
        for path, item in document()["paths"].items()
        for method, said in item.items()
        for parameter in said.get("parameters", [])
        if parameter["in"] == "query" and parameter["name"] not in views[path].cls.known_parameters()
    ]
    assert refused == []


@pytest.mark.parametrize("path", ["/events/{event}/", "/users/me/", "/registrations/{registration}/"])
def test_what_was_read_can_be_sent_back_strictly(ada, event, register, path):
    path = path.format(event=event.pk, registration=register(event, event.organizer).pk)

    assert ada.put(path, ada.get(path).json(), **STRICT).status_code == 200


def test_a_name_that_may_hold_anything_is_not_repeated(ada, event):
    refused = ada.patch(f"/events/{event.pk}/", {"<script>": 1}, **STRICT)

    assert (errors(refused), b"<script" in refused.content) == ([("#/", "unknown_member")], False)


@pytest.mark.parametrize("method", ["put", "patch"])
@pytest.mark.parametrize("name", ["id", "organizer"])
@pytest.mark.parametrize("value", [0, "1", True, None, {"id": 1}])
def test_an_id_or_organizer_that_differs_is_refused(ada, event, method, name, value):
    body = ada.get(f"/events/{event.pk}/").json() | {name: value}

    refused = getattr(ada, method)(f"/events/{event.pk}/", body)

    assert (refused.status_code, errors(refused)) == (400, [(f"#/{name}", "read_only")])
    assert Event.objects.get(pk=event.pk).revision == 0


@pytest.mark.parametrize("name", ["id", "event", "attendee"])
def test_of_a_registration_neither_id_nor_event_nor_attendee_differs(ada, event, register, name):
    registration = register(event, event.organizer)

    refused = ada.patch(f"/registrations/{registration.pk}/", {"status": "confirmed", name: 2**40})

    assert (refused.status_code, errors(refused)) == (400, [(f"#/{name}", "read_only")])


def test_an_account_keeps_its_id(ada):
    assert errors(ada.patch("/users/me/", {"id": 2**40})) == [("#/id", "read_only")]


@pytest.mark.parametrize("step", ["publish", "cancel"])
def test_a_step_of_an_event_honours_if_match_and_tells_the_tag_that_follows(ada, event, step):
    Event.objects.filter(pk=event.pk).update(status="draft" if step == "publish" else "published")
    path = f"/events/{event.pk}/"
    tag = ada.get(path)["ETag"]

    refused = ada.post(f"{path}{step}/", HTTP_IF_MATCH='"another"')
    taken = ada.post(f"{path}{step}/", HTTP_IF_MATCH=tag)

    assert (refused.status_code, taken.status_code) == (412, 200)
    assert (taken["ETag"], taken["Content-Location"]) == (ada.get(path)["ETag"], path)


def test_what_is_created_comes_with_its_tag(ada, event):
    made = ada.post("/events/", {"title": "New", "date": "2099-05-17T18:00:00Z", "location": "Berlin"})
    asked = ada.post(f"/events/{event.pk}/register/")

    for answer in (made, asked):
        path = answer["Location"].partition("8000")[2]
        assert answer["ETag"] == ada.get(path)["ETag"]
