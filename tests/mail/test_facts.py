import json

import pytest

from jointoit.mail import facts
from jointoit.mail.messages import EventChanged, RegistrationConfirmed
from tests.mail.samples import KINDS, sample


@pytest.mark.parametrize("kind", KINDS)
def test_a_message_comes_back_as_it_was(kind: str) -> None:
    message = sample(KINDS[kind])

    assert facts.load(kind, json.loads(facts.dump(message))) == message


def test_times_come_back_with_an_offset() -> None:
    message = facts.load("event_changed", json.loads(facts.dump(sample(EventChanged))))

    assert isinstance(message, EventChanged)
    assert message.before.date.utcoffset() is not None


def test_facts_from_before_a_field_was_added_take_its_default() -> None:
    message = sample(RegistrationConfirmed, holds_seat=True)
    old = json.loads(facts.dump(message))
    del old["holds_seat"]

    assert facts.load(message.kind, old) == message


def test_a_kind_of_another_release_is_unknown() -> None:
    with pytest.raises(LookupError):
        facts.load("not_yet_invented", {})
