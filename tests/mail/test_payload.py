import json

import pytest

from jointoit.mail import payload
from jointoit.mail.messages import EventChanged, RegistrationConfirmed
from tests.mail.samples import KINDS, sample


@pytest.mark.parametrize("kind", KINDS)
def test_a_message_comes_back_as_it_was(kind: str) -> None:
    message = sample(KINDS[kind])

    assert payload.load(kind, json.loads(payload.dump(message))) == message


def test_times_come_back_with_an_offset() -> None:
    message = payload.load("event_changed", json.loads(payload.dump(sample(EventChanged))))

    assert isinstance(message, EventChanged)
    assert message.before.date.utcoffset() is not None


def test_facts_from_before_a_field_was_added_take_its_default() -> None:
    message = sample(RegistrationConfirmed, holds_seat=True)
    old = json.loads(payload.dump(message))
    del old["holds_seat"]

    assert payload.load(message.kind, old) == message


def test_a_kind_of_another_release_is_unknown() -> None:
    with pytest.raises(LookupError):
        payload.load("not_yet_invented", {})
