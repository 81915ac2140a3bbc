"""What may be answered to the questions of an event.

Answers are kept in the registration, by the id of the question: `{"12": "vegan", "13": ["jazz", "folk"]}`.
"""

import math
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

from jointoit.errors import Conflict, Invalid, ManyInvalid
from jointoit.events.models import Event, Question

Type = Question.Type
LONGEST: Final = {Type.TEXT: 500, Type.LONG_TEXT: 5_000}  # characters


class InvalidAnswer(Invalid):
    code = "invalid_answer"
    message = "This is not an answer to the question."
    remedy = "Read `GET /events/{id}/questions/`: it says the type of each answer and what there is to choose from."
    shown_field = "answers/12"


class AnswerRequired(Invalid):
    code = "answer_required"
    message = "This question must be answered."
    remedy = "Send an answer to the question that `errors` names, by its id, in `answers`."
    shown_field = "answers/12"


class QuestionsChanged(Conflict):
    code = "questions_changed"
    message = "The questions of this event have just changed."
    remedy = "Read `GET /events/{id}/questions/` again, and answer those that are new."


def asked(event: Event) -> list[Question]:
    """The questions that are asked now, in their order; an event without any costs no statement."""
    return list(event.questions.filter(archived=False)) if event.question_count else []


def checked(
    questions: list[Question], given: Mapping[str, Any], *, present: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The answers as they are kept: those that are `present`, replaced by what is given; null takes one away.

    Raises ManyInvalid, whose members point to `answers/<id>`; a name that is no question's is not repeated.
    """
    known = {str(question.pk): question for question in questions}
    kept, wrong = dict(present or {}), dict[str, Invalid]()
    for name, answer in given.items():
        if name not in known:
            wrong[""] = InvalidAnswer("The event does not ask all of this.", field="answers")
            continue
        try:
            read = None if answer is None else READ[Type(known[name].type)](known[name], answer)
        except ValueError as error:
            wrong[name] = InvalidAnswer(str(error), field=("answers", name))
        else:
            kept[name] = read
    kept = {name: answer for name, answer in kept.items() if answer is not None and answer not in ("", [])}
    for name, question in known.items():
        if question.required and name not in kept and name not in wrong:
            wrong[name] = AnswerRequired(field=("answers", name))
    if wrong:
        raise ManyInvalid(list(wrong.values()))
    return kept


# ── What each type takes: raise ValueError with what would be right ───────────────────────────────────────────────────


def text(question: Question, answer: Any) -> str:
    if not isinstance(answer, str):
        raise ValueError("Answer with a text.")
    written = unicodedata.normalize("NFC", answer.replace("\r\n", "\n").replace("\r", "\n")).strip()
    allowed = "\n\t" if question.type == Type.LONG_TEXT else ""
    if any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") and c not in allowed for c in written):
        raise ValueError("This must not have control characters.")
    if len(written) > (most := LONGEST[Type(question.type)]):
        raise ValueError(f"Answer with at most {most} characters.")
    return written


def choice(question: Question, answer: Any) -> str:
    if answer not in question.options or not isinstance(answer, str):
        raise ValueError("Choose one of the options.")
    return answer


def choices(question: Question, answer: Any) -> list[str]:
    """In the order of the options, each once."""
    if not isinstance(answer, list) or any(not isinstance(one, str) or one not in question.options for one in answer):
        raise ValueError("Choose among the options: a list of them.")
    return [option for option in question.options if option in answer]


def consent(question: Question, answer: Any) -> bool | None:
    """A consent that is not given is none: it does not satisfy a question that must be answered."""
    if not isinstance(answer, bool):
        raise ValueError("Answer with true or false.")
    return answer or None


def number(question: Question, answer: Any) -> int | float:
    if isinstance(answer, bool) or not isinstance(answer, int | float) or not math.isfinite(answer):
        raise ValueError("Answer with a number.")
    if abs(answer) > 10**15:
        raise ValueError("This number is too large.")
    return answer


def day(question: Question, answer: Any) -> str:
    sentence = "Answer with a day, such as 2030-05-17."
    if not isinstance(answer, str) or len(answer) != len("2030-05-17"):
        raise ValueError(sentence)
    try:
        return date.fromisoformat(answer).isoformat()
    except ValueError:
        raise ValueError(sentence) from None


READ: Final[Mapping[Type, Callable[[Question, Any], Any]]] = {
    Type.TEXT: text,
    Type.LONG_TEXT: text,
    Type.CHOICE: choice,
    Type.CHOICES: choices,
    Type.CONSENT: consent,
    Type.NUMBER: number,
    Type.DATE: day,
}
