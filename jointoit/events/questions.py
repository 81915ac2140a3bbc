"""What an event asks of whoever registers; what may be answered is said by `answers`.

A question changes with the event held and as its next revision; asking for a seat takes what was seen at one revision
(`seating.CLAIM_SEAT`), so nobody is registered without the answers that are required at that moment.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from jointoit.accounts.callers import Caller
from jointoit.errors import Conflict, Invalid, NotFound
from jointoit.events import facts, scheduling
from jointoit.events.models import Event, Question, Registration
from jointoit.journal.writer import Actor

Type = Question.Type
MOST: Final = 30
OF_CHOICES: Final = (Type.CHOICE, Type.CHOICES)


class TooManyQuestions(Conflict):
    code = "too_many_questions"
    message = f"An event asks at most {MOST} questions."
    remedy = "Delete or archive one that is not needed any more."


class QuestionHasAnswers(Conflict):
    code = "question_has_answers"
    message = "People have answered this question."
    remedy = "Archive the question, by PATCH with `archived`: it is asked no more, and its answers stay."


class NeedsOptions(Invalid):
    code = "needs_options"
    message = "This type of question needs at least one option to choose from, and no other type has any."
    remedy = "Send `options` with `choice` and `choices`, and leave them out with other types."
    shown_field = "options"


# ── By whoever manages the event ──────────────────────────────────────────────────────────────────────────────────────


def add(*, caller: Caller, event_id: int, fields: Mapping[str, Any], now: datetime) -> Question:
    """Ask one more, last unless a position is given. Raises NotFound, NotYourEvent, TooManyQuestions, NeedsOptions."""
    with transaction.atomic():
        event, actor = scheduling.lock(event_id, caller, None)
        if event.questions.filter(archived=False).count() >= MOST:
            raise TooManyQuestions
        last = event.questions.order_by("position").last()
        question = Question(event=event, **{"position": last.position + 1 if last else 1, **fields})
        refuse(question)
        question.save()
        record("asked", event, question, actor=actor, now=now)
    return question


def change(*, caller: Caller, event_id: int, question_id: int, fields: Mapping[str, Any], now: datetime) -> Question:
    """Once it is answered the type stays, and options are only added.

    Raises NotFound, NotYourEvent, QuestionHasAnswers, TooManyQuestions, NeedsOptions.
    """
    with transaction.atomic():
        event, actor = scheduling.lock(event_id, caller, None)
        question = existing(event, question_id)
        was_type, had, was_archived = question.type, set(question.options), question.archived
        for name, value in fields.items():
            setattr(question, name, value)
        refuse(question)
        if (question.type != was_type or had - set(question.options)) and is_answered(question):
            raise QuestionHasAnswers
        if was_archived and not question.archived and event.questions.filter(archived=False).count() >= MOST:
            raise TooManyQuestions
        question.save()
        record("changed", event, question, actor=actor, now=now)
    return question


def remove(*, caller: Caller, event_id: int, question_id: int, now: datetime) -> None:
    """Raises NotFound, NotYourEvent, QuestionHasAnswers."""
    with transaction.atomic():
        event, actor = scheduling.lock(event_id, caller, None)
        question = existing(event, question_id)
        if is_answered(question):
            raise QuestionHasAnswers
        record("removed", event, question, actor=actor, now=now)
        question.delete()
        event.question_count = event.questions.filter(archived=False).count()
        event.save(update_fields=["question_count"])


def move(*, caller: Caller, event_id: int, question_id: int, by: int, now: datetime) -> None:
    """Ask a question sooner (-1) or later (1) than its neighbour; those that are archived stand behind the others.

    At either end nothing happens. Raises NotFound, NotYourEvent.
    """
    with transaction.atomic():
        event, actor = scheduling.lock(event_id, caller, None)
        moved = existing(event, question_id)
        row = sorted(event.questions.all(), key=lambda question: (question.archived, question.position, question.pk))
        place = row.index(moved)
        if not 0 <= place + by < len(row):
            return
        row.insert(place + by, row.pop(place))
        for position, question in enumerate(row, 1):
            question.position = position
        Question.objects.bulk_update(row, ["position"])
        record("changed", event, moved, actor=actor, now=now)


def existing(event: Event, question_id: int) -> Question:
    question = event.questions.filter(pk=question_id).first()
    if question is None:
        raise NotFound
    return question


def is_answered(question: Question) -> bool:
    return Registration.objects.filter(event=question.event_id, answers__has_key=str(question.pk)).exists()


def refuse(question: Question) -> None:
    if (question.type in OF_CHOICES) != bool(question.options):
        raise NeedsOptions(field="options")


def record(what: str, event: Event, question: Question, *, actor: Actor, now: datetime) -> None:
    """Write the step as the event's next revision; nobody registers by the questions of the one before."""
    event.question_count = event.questions.filter(archived=False).count()
    scheduling.save_change(event, ["question_count"], now=now)
    facts.record_event(f"question_{what}", event, actor=actor, now=now, after={"question": question.pk})
