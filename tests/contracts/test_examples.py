"""The examples of the document are good: what is to be sent is taken as it stands, what comes back has its shape."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from jointoit.accounts import addresses, keys, tokens
from jointoit.accounts.callers import Caller
from jointoit.accounts.documentation import FROM_MAIL, JWT, PASSWORD
from jointoit.accounts.models import User
from jointoit.events import questions, team
from jointoit.events.models import Event, Membership, Registration
from jointoit.mail import links
from jointoit.organizing import transfers
from jointoit.webhooks.models import Webhook
from tests.client import ServiceClient
from tests.conformance import document, pointed, validator

JSON = "application/json"
CALLS = [(method, path, said) for path, item in document()["paths"].items() for method, said in item.items()]


def requests() -> Iterator[Any]:
    for method, path, said in CALLS:
        for name, example in said.get("requestBody", {}).get("content", {}).get(JSON, {}).get("examples", {}).items():
            good = (
                status for status, response in said["responses"].items() if status < "300" and answers_json(response)
            )
            yield pytest.param(method, path, example["value"], int(max(good)), id=f"{method} {path} {name}")


def answers_json(response: dict[str, Any]) -> bool:
    """Or nothing; a page is for browsers."""
    return "text/html" not in response.get("content", {})


def answers() -> Iterator[Any]:
    """Each example once, however many operations answer with it."""
    seen = set()
    for method, path, said in CALLS:
        for status, response in said["responses"].items():
            for media, content in pointed(response).get("content", {}).items():
                for name, example in content.get("examples", {}).items():
                    each = json.dumps([content["schema"], example["value"]])
                    if each not in seen:
                        seen.add(each)
                        where = f"{method} {path} {status} {name} {media}"
                        yield pytest.param(content["schema"], example["value"], id=where)


@pytest.fixture
def ada(db: None) -> User:
    """The person whom the examples are about."""
    return User.objects.create_user("ada", "ada@example.org", PASSWORD)


KINDS: dict[str, links.Kind] = {"verify": "verify_email", "agree": "agree_email", "stop": "stop_change"}


def filled(value: dict[str, Any], path: str, ada: User, registration: int, now: Any) -> dict[str, Any]:
    """The same with tokens that live: those of the document are for the eye."""
    kind: links.Kind = next((KINDS[part] for part in KINDS if part in path), "reset_password")
    about = addresses.digest(ada.email) if kind == "agree_email" else ada.email
    living = {
        JWT: tokens.issue(user=ada, now=now).refresh,
        FROM_MAIL: links.mint(kind, user_id=ada.pk, token_epoch=ada.token_epoch, address=about),
    }
    if "not-me" in path:
        living[FROM_MAIL] = links.mint_not_me(ada.email)
    if "stop-mail" in path:
        living[FROM_MAIL] = links.mint_stop(ada.email, "event:5")
    if "unsubscribe" in path:
        living[FROM_MAIL] = links.mint_unsubscribe(registration)
    if path.startswith("/invitations/"):
        living[FROM_MAIL] = links.mint_invitation(invitation_for(ada, now))
    if path.startswith("/transfers/"):
        living[FROM_MAIL] = links.mint_transfer(transfer_for(ada, registration, now))
    return {name: living.get(each, each) if isinstance(each, str) else each for name, each in value.items()}


def invitation_for(ada: User, now: Any) -> int:
    User.objects.filter(pk=ada.pk).update(email_verified=True)
    other = User.objects.create_user("other", "other@example.org", PASSWORD)
    return team.invite(caller=Caller(other), event_id=None, email=ada.email, role="door", now=now).pk


def transfer_for(ada: User, registration: int, now: Any) -> int:
    User.objects.filter(pk=ada.pk).update(email_verified=True)
    held = Registration.objects.get(pk=registration)
    Event.objects.filter(pk=held.event_id).update(allow_transfers=True)
    offer = {"registration_id": registration, "email": ada.email, "now": now}
    return transfers.offer(caller=Caller(held.attendee), **offer).pk


@pytest.mark.parametrize(("method", "path", "value", "status"), [*requests()])
def test_an_example_is_taken_as_it_stands(
    ada, now, signed_in, make_user, make_event, register, method, path, value, status
):
    event = make_event(organizer=ada)
    registration = register(event).pk
    pk = registration if path.startswith("/registrations/") else event.pk
    if path.startswith("/users/me/keys/"):
        pk = keys.create(user=ada, name="k", scopes=["attendees:read"], password=PASSWORD, now=now)[0].pk
    if path.startswith("/webhooks/"):
        told = {"url": "https://x.example/", "types": ["event.changed"], "seed": ""}
        pk = Webhook.objects.create(owner=ada, **told, created_at=now).pk
    place = event if path.startswith("/events/") else None
    helper = Membership.objects.create(owner=ada, event=place, member=make_user(), role="manager", since=now)
    body = filled(value, path, ada, registration, now)
    if path == "/users/register/":
        User.objects.filter(pk=ada.pk).update(username="lovelace", email="lovelace@example.org")
    if path.endswith("/transfer/"):
        Event.objects.filter(pk=event.pk).update(allow_transfers=True)
        Registration.objects.filter(pk=registration).update(attendee=ada)
    asked = questions.add(caller=Caller(ada), event_id=event.pk, fields={"label": "x", "type": "text"}, now=now)
    client = signed_in(ada) if {"accessToken": []} in document()["paths"][path][method]["security"] else ServiceClient()

    response = getattr(client, method)(
        path.replace("{id}", str(pk)).replace("{member}", str(helper.pk)).replace("{question}", str(asked.pk)), body
    )

    assert response.status_code == status, response.content


@pytest.mark.parametrize(("schema", "value"), [*answers()])
def test_an_example_of_an_answer_has_the_shape_that_is_promised(schema: dict[str, Any], value: Any) -> None:
    assert [error.message for error in validator(json.dumps(schema)).iter_errors(value)] == []


def test_every_body_of_json_has_an_example() -> None:
    bare = [
        f"{method} {path}"
        for method, path, said in CALLS
        for part in [said.get("requestBody", {}), *map(pointed, said["responses"].values())]
        for media, content in part.get("content", {}).items()
        if "json" in media and not content.get("examples")
    ]
    assert bare == []
