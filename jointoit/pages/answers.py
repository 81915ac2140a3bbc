"""The questions of an event as a form; what may be answered to them says the verb (`jointoit.events.answers`)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jointoit.errors import DomainError
from jointoit.events.answers import QuestionsChanged
from jointoit.events.models import Question
from jointoit.pages.forms import Renderer, text

Type = Question.Type
MOST_DOTS: Final = 7  # options that are shown one below the other


class NumberField(forms.FloatField):
    """A whole number stays one."""

    def to_python(self, value: Any) -> Any:
        number = super().to_python(value)
        return int(number) if number is not None and number.is_integer() else number


def choice(question: Question, named: dict[str, Any]) -> forms.Field:
    options = [(option, option) for option in question.options]
    if len(options) > MOST_DOTS:
        return forms.ChoiceField(choices=[("", ""), *options], **named)
    none = [] if question.required else [("", gettext_lazy("No answer"))]
    return forms.ChoiceField(choices=[*options, *none], widget=forms.RadioSelect, **named)


def choices(question: Question, named: dict[str, Any]) -> forms.Field:
    options = [(option, option) for option in question.options]
    return forms.MultipleChoiceField(choices=options, widget=forms.CheckboxSelectMultiple, **named)


FIELDS: Final[Mapping[Type, Callable[[Question, dict[str, Any]], forms.Field]]] = {
    Type.TEXT: lambda question, named: text(**named),
    Type.LONG_TEXT: lambda question, named: text(type="area", widget=forms.Textarea, attrs={"dir": "auto"}, **named),
    Type.CHOICE: choice,
    Type.CHOICES: choices,
    Type.CONSENT: lambda question, named: forms.BooleanField(**named),
    Type.NUMBER: lambda question, named: NumberField(**named),
    Type.DATE: lambda question, named: text(type="date", **named),
}


def name_of(question: object) -> str:
    """Of the field, by the question's id."""
    return f"answer_{question}"


class AnswersForm(forms.Form):
    """What an event asks; `asked` carries which questions the reader has seen."""

    default_renderer = Renderer

    asked = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(
        self, questions: Sequence[Question], data: QueryDict | None = None, *, given: Mapping[str, Any] | None = None
    ) -> None:
        now = ",".join(str(question.pk) for question in questions)
        seen = "" if data is None else data.get("asked", "")
        #: Whether something is asked that the reader has not seen, who then answered nothing wrong.
        self.is_behind = data is not None and not {*filter(None, now.split(","))} <= {*seen.split(",")}
        if data is not None:
            data = data.copy()
            data["asked"] = now
        super().__init__(data, initial={"asked": now, **{name_of(pk): answer for pk, answer in (given or {}).items()}})
        self.questions = questions
        for question in questions:
            named = {"label": question.label, "help_text": question.help, "required": question.required}
            self.fields[name_of(question.pk)] = FIELDS[Type(question.type)](question, named)

    def clean(self) -> dict[str, Any]:
        if self.is_behind:
            self.add_error(None, QuestionsChanged.message)
        return self.cleaned_data

    @property
    def status(self) -> int:
        """Of the page that shows it again."""
        return 409 if self.is_behind else 400

    @property
    def answered(self) -> dict[str, Any]:
        """As the API takes it: by the id of the question, null for what is left out."""
        found = {str(question.pk): self.cleaned_data[name_of(question.pk)] for question in self.questions}
        return {pk: None if answer == "" else answer for pk, answer in found.items()}

    def refuse(self, error: DomainError) -> None:
        """Show why a verb refused, beside the question that it is about."""
        for each in getattr(error, "errors", [error]):
            path = getattr(each, "field", "")
            name = name_of(path[-1]) if isinstance(path, tuple) else ""
            self.add_error(name if name in self.fields else None, str(each))


def told(questions: Sequence[Question], given: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What was answered, in words, by the questions; those without an answer are left out."""
    kept = [(question.label, given.get(str(question.pk))) for question in questions]
    return [(label, in_words(answer)) for label, answer in kept if answer is not None]


def in_words(answer: Any) -> str:
    if isinstance(answer, list):
        return ", ".join(map(str, answer))
    return _("Yes") if answer is True else str(answer)
