"""A client generated from the published schema does the main round, with the types and names that it was given."""

import importlib
import json
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from tests.e2e.inbox import wait_for
from tests.e2e.service import Service

PASSWORD = "correct horse battery 9"


@pytest.fixture(scope="module")
def sdk(stack: Service, tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """Generate the package from the schema that the running service publishes."""
    folder = tmp_path_factory.mktemp("sdk")
    schema, options = folder / "openapi.yaml", folder / "options.yaml"
    schema.write_text(httpx.get(f"{stack.api}/api/schema/").text)
    # The generator knows JSON, text and files; what comes as a picture is a file.
    overrides = {"image/png": "application/octet-stream", "image/svg+xml": "application/octet-stream"}
    options.write_text(json.dumps({"post_hooks": [], "content_type_overrides": overrides}))
    generator = Path(sys.executable).with_name("openapi-python-client")
    words: list[str | Path] = [
        "generate",
        "--path",
        schema,
        "--config",
        options,
        "--meta",
        "none",
        "--output-path",
        folder / "jointoit_sdk",
    ]
    made = subprocess.run([generator, *words, "--fail-on-warning"], capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    sys.path.insert(0, str(folder))
    return importlib.import_module("jointoit_sdk")


class Api:
    """The operations of the generated package by name, such as `api.event_create(...)`."""

    def __init__(self, package: ModuleType, client: Any) -> None:
        self.package, self.client = package, client

    def call(self, tag: str, name: str, *args: Any, **kwargs: Any) -> Any:
        operation = importlib.import_module(f"{self.package.__name__}.api.{tag}.{name}")
        return operation.sync(*args, client=self.client, **kwargs)


@pytest.fixture
def clients() -> Iterator[ExitStack]:
    """Holds the clients that a test opens, and closes them at its end."""
    with ExitStack() as clients:
        yield clients


def person(sdk: ModuleType, clients: ExitStack, url: str, name: str) -> Api:
    models = importlib.import_module("jointoit_sdk.models")
    anyone = Api(sdk, clients.enter_context(sdk.Client(base_url=url)))
    account = models.SignUpRequest(username=name, email=f"{name}@example.org", password=PASSWORD)
    assert anyone.call("accounts", "sign_up", body=account).username == name
    pair = anyone.call("accounts", "token", body=models.LoginRequest(username=name, password=PASSWORD))
    return Api(sdk, clients.enter_context(sdk.AuthenticatedClient(base_url=url, token=pair.access)))


def test_a_generated_client_does_the_main_round(stack: Service, sdk: ModuleType, clients: ExitStack) -> None:
    models = importlib.import_module("jointoit_sdk.models")
    suffix = uuid.uuid4().hex[:8]
    organizer, guest = (person(sdk, clients, stack.api, f"{role}-{suffix}") for role in ("host", "visitor"))
    wanted = models.NewEventRequest(
        title="Generated", date=datetime(2099, 6, 1, 18, tzinfo=UTC), location="Paris", capacity=1
    )

    event = organizer.call("events", "event_create", body=wanted)
    registration = guest.call("registrations", "event_register", event.id)
    again = guest.call("registrations", "event_register", event.id)

    assert (event.date, event.seats_left) == (datetime(2099, 6, 1, 18, tzinfo=UTC), 1)
    assert (registration.status.value, registration.event.title) == ("confirmed", "Generated")
    assert (again.status, again.code) == (409, "already_registered")
    assert [row.id for row in guest.call("registrations", "registration_list").results] == [registration.id]
    wait_for(stack.inbox, to=f"visitor-{suffix}@example.org", subject="onfirmed")
    feed = organizer.call("programs", "feed_list", managed=True)
    assert [fact.type_ for fact in feed.results] == ["event.created", "registration.confirmed"]
    assert [fact.registration for fact in feed.results] == [None, registration.id]
    organizer.call("registrations", "registration_destroy", registration.id)
    assert guest.call("registrations", "registration_retrieve", registration.id).status.value == "cancelled"


def test_a_generated_client_does_the_round_of_a_team(stack: Service, sdk: ModuleType, clients: ExitStack) -> None:
    models = importlib.import_module("jointoit_sdk.models")
    suffix = uuid.uuid4().hex[:8]
    owner, helper = (person(sdk, clients, stack.api, f"{role}-{suffix}") for role in ("owner", "helper"))
    address = f"helper-{suffix}@example.org"

    def mailed(subject: str) -> str:
        text = wait_for(stack.inbox, to=address, subject=subject)["text"]
        return re.search(r"token=([\w.~:-]+)", text)[1]  # type: ignore[index]

    proof = models.MailedTokenRequest(token=mailed("onfirm your"))
    helper.call("accounts", "verify_email", body=proof)
    wanted = models.NewEventRequest(
        title="Shared", date=datetime(2099, 6, 1, 18, tzinfo=UTC), location="Paris", capacity=1
    )
    event = owner.call("events", "event_create", body=wanted)
    invited = models.InviteRequest(email=address, role=models.OfferedRole.MANAGER)
    owner.call("events", "event_invitation_create", event.id, body=invited)
    taken = helper.call("events", "invitation_accept", body=models.InvitationAnswerRequest(token=mailed("help")))
    changed = helper.call("events", "event_partial_update", event.id, body=models.PatchedEventRequest(capacity=2))
    owner.call("events", "event_handover", event.id, body=models.HandoverRequest(email=address))
    helper.call("events", "invitation_accept", body=models.InvitationAnswerRequest(token=mailed("take over")))
    key = helper.call("accounts", "key_create", body=models.NewKeyRequest(
        name="wall", scopes=[models.KeyScope.ATTENDEESREAD], password=PASSWORD
    ))  # fmt: skip
    program = Api(sdk, clients.enter_context(sdk.AuthenticatedClient(base_url=stack.api, token=key.key)))
    history = program.call("events", "event_history_list", event.id).results

    assert (taken.event.id, taken.role.value, changed.capacity) == (event.id, "manager", 2)
    assert [(fact.type_, fact.actor.kind.value) for fact in history[:3]] == [
        ("event.handed_over", "owner"), ("event.changed", "manager"), ("team.changed", "manager")
    ]  # fmt: skip
    assert program.call("accounts", "key_list").code == "scope_missing"
