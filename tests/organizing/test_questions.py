"""What an event asks, and that nobody is registered without the answers."""

from collections.abc import Callable
from typing import Any

import pytest

from jointoit.accounts.callers import SERVICE, Caller
from jointoit.errors import ManyInvalid
from jointoit.events import booking, questions
from jointoit.events.models import Event, Question
from jointoit.events.questions import NeedsOptions, QuestionHasAnswers, TooManyQuestions
from jointoit.events.refusals import EventStarted, NotYours
from jointoit.mail.models import OutboxMail


@pytest.fixture
def event(make_event: Callable[..., Event]) -> Event:
    return make_event()


@pytest.fixture
def ask(event: Event, now: Any) -> Callable[..., Question]:
    def ask(type: str = "text", **fields: Any) -> Question:  # noqa: A002
        fields = {"label": "What?", "type": type} | fields
        return questions.add(caller=SERVICE, event_id=event.pk, fields=fields, now=now)

    return ask


def wrong(error: ManyInvalid) -> list[tuple[Any, str]]:
    return [(each.field, each.code) for each in error.errors]


@pytest.mark.parametrize(
    ("type", "given", "kept"),
    [
        ("text", " vegan ", "vegan"),
        ("text", "Zoe\u0308", "Zoë"),
        ("long_text", "a\r\nb", "a\nb"),
        ("choice", "jazz", "jazz"),
        ("choices", ["folk", "jazz", "folk"], ["jazz", "folk"]),
        ("consent", True, True),
        ("number", 3, 3),
        ("number", 1.5, 1.5),
        ("date", "2030-05-17", "2030-05-17"),
    ],
)
def test_a_good_answer_is_kept(event, ask, register, type, given, kept):  # noqa: A002
    asked = ask(type, options=["jazz", "folk"] if type in ("choice", "choices") else [])

    registration = register(event, answered={str(asked.pk): given})

    registration.refresh_from_db()
    assert registration.answers == {str(asked.pk): kept}


@pytest.mark.parametrize(
    ("type", "given"),
    [
        ("text", 1), ("text", "a\nb"), ("text", "a\x00b"), ("text", "x" * 501), ("long_text", "x" * 5001),
        ("choice", "blues"), ("choice", ["jazz"]), ("choice", 1), ("choices", "jazz"), ("choices", ["blues"]),
        ("choices", [["jazz"]]), ("consent", "yes"), ("consent", 1), ("number", "3"), ("number", True),
        ("number", 10**16), ("number", float("nan")), ("date", "17.5.2030"), ("date", "2030-02-30"), ("date", 2030),
        ("date", "20300517"),
    ],
)  # fmt: skip
def test_a_bad_answer_is_pointed_at_and_nobody_is_registered(event, ask, register, type, given):  # noqa: A002
    asked = ask(type, options=["jazz", "folk"] if type in ("choice", "choices") else [])

    with pytest.raises(ManyInvalid) as refused:
        register(event, answered={str(asked.pk): given})

    assert wrong(refused.value) == [(("answers", str(asked.pk)), "invalid_answer")]
    assert event.registrations.count() == OutboxMail.objects.filter(kind="registration_confirmed").count() == 0


@pytest.mark.parametrize("given", [{}, {"answer": ""}, {"answer": None}, {"answer": False}])
def test_what_is_required_is_answered_or_there_is_no_registration(event, ask, register, given):
    asked = ask("consent" if given.get("answer") is False else "text", required=True)

    with pytest.raises(ManyInvalid) as refused:
        register(event, answered={str(asked.pk): answer for answer in given.values()})

    assert wrong(refused.value) == [(("answers", str(asked.pk)), "answer_required")]


def test_everything_that_is_wrong_is_told_at_once(event, ask, register):
    first, second = ask("number"), ask("text", required=True)

    with pytest.raises(ManyInvalid) as refused:
        register(event, answered={str(first.pk): "x", "999": "y"})

    assert {field for field, _ in wrong(refused.value)} == {
        ("answers", str(first.pk)), ("answers", str(second.pk)), "answers",
    }  # fmt: skip


def test_an_archived_question_is_asked_no_more(event, ask, register):
    ask(required=True, archived=True)

    assert register(event).status == "confirmed"


def test_an_event_without_questions_costs_no_statement_more(event, make_user, now, django_assert_num_queries):
    attendee = make_user()

    with django_assert_num_queries(4):  # within the test's transaction a savepoint is set and released
        booking.register(event_id=event.pk, attendee=attendee, now=now)


def test_the_attendee_changes_an_answer_until_the_start(event, ask, register, now):
    asked = ask(required=True)
    registration = register(event, answered={str(asked.pk): "vegan"})
    change = {"registration_id": registration.pk, "caller": Caller(registration.attendee), "status": None}

    booking.set_status(**change, answered={str(asked.pk): "all"}, now=now)

    registration.refresh_from_db()
    assert registration.answers == {str(asked.pk): "all"}
    with pytest.raises(ManyInvalid):
        booking.set_status(**change, answered={str(asked.pk): None}, now=now)
    with pytest.raises(EventStarted):
        booking.set_status(**change, answered={str(asked.pk): "x"}, now=event.date)


def test_nobody_answers_for_somebody_else(event, ask, register, now):
    asked = ask()
    registration = register(event)

    with pytest.raises(NotYours):
        booking.set_status(
            registration_id=registration.pk, caller=Caller(event.organizer), status=None, now=now,
            answered={str(asked.pk): "x"},
        )  # fmt: skip


@pytest.mark.parametrize("fields", [{"type": "number", "options": []}, {"options": ["jazz"]}])
def test_what_was_answered_keeps_its_type_and_its_options(event, ask, register, now, fields):
    asked = ask("choice", options=["jazz", "folk"])
    register(event, answered={str(asked.pk): "folk"})
    change = {"caller": SERVICE, "event_id": event.pk, "question_id": asked.pk, "now": now}

    with pytest.raises(QuestionHasAnswers):
        questions.change(**change, fields=fields)
    with pytest.raises(QuestionHasAnswers):
        questions.remove(**change)

    assert questions.change(**change, fields={"options": ["jazz", "folk", "blues"]}).options[-1] == "blues"


@pytest.mark.parametrize("fields", [{"type": "choice"}, {"type": "text", "options": ["a"]}])
def test_choices_have_options_and_nothing_else_does(ask, fields):
    with pytest.raises(NeedsOptions):
        ask(**fields)


def test_an_event_asks_thirty_questions_at_most(event, ask):
    for _ in range(30):
        ask()

    with pytest.raises(TooManyQuestions):
        ask()
    event.refresh_from_db()
    assert event.question_count == 30
