"""The section `webhooks` of the document: each example is sent, and arrives as it stands there."""

import json
from datetime import datetime
from uuid import UUID

import pytest

from jointoit.journal.models import Fact
from jointoit.journal.writer import TYPES
from jointoit.webhooks.fan_out import fan_out
from jointoit.webhooks.models import Position
from tests.conformance import document, validator

SECTION = document()["webhooks"]
EXAMPLES = {
    name: said["post"]["requestBody"]["content"]["application/json"]["examples"]["Message"]["value"]
    for name, said in SECTION.items()
}


def test_there_is_an_entry_for_each_type_of_fact():
    assert list(SECTION) == list(TYPES)
    assert {name: example["type"] for name, example in EXAMPLES.items()} == {name: name for name in TYPES}


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
def test_an_example_has_the_shape_that_is_promised(example):
    [schema] = {
        json.dumps(said["post"]["requestBody"]["content"]["application/json"]["schema"]) for said in SECTION.values()
    }
    assert [error.message for error in validator(schema).iter_errors(example)] == []


@pytest.mark.django_db(transaction=True)
def test_each_example_is_sent_as_it_stands(make_event, receiver, subscribe, deliver):
    """Facts are written as the examples have them, under other ids each, and go the whole way."""
    sink, wanted = receiver(), []
    event = make_event(pk=EXAMPLES["event.created"]["data"]["event"])
    subscribe(event.organizer, sink.url)
    for number, example in enumerate(EXAMPLES.values(), start=1):
        data = example["data"] | {"id": number}
        wanted.append(example | {"data": data})
        Fact.objects.create(
            id=number, type=data["type"], at=datetime.fromisoformat(data["at"]), actor_kind=data["actor"]["kind"],
            actor_id=data["actor"]["id"], event_id=data["event"], registration_id=data["registration"],
            before=data["before"], after=data["after"], request_id=UUID(data["request_id"]),
        )  # fmt: skip

    deliver()

    assert sorted((each.message for each in sink.received), key=lambda message: message["data"]["id"]) == wanted
    headers = {parameter["name"] for said in SECTION.values() for parameter in said["post"]["parameters"]}
    assert all(headers <= received.headers.keys() for received in sink.received)


@pytest.mark.django_db(transaction=True)
def test_facts_are_told_once_whoever_makes_messages_of_them(make_event, receiver, subscribe, register):
    event = make_event()
    webhook = subscribe(event.organizer, receiver().url)
    place = Position.objects.get().place
    register(event)

    assert (fan_out(), fan_out()) == (1, 0)
    Position.objects.update(place=place)  # as if whoever made them had died before it was written
    assert (fan_out(), webhook.messages.count()) == (1, 1)
