"""The forms of what comes besides: seats handed on, questions, news, guests, the same event again."""

from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from jointoit.events.models import Event, Question
from jointoit.organizing.serializers import (
    DuplicateSerializer,
    GuestSerializer,
    NewAnnouncementSerializer,
    QuestionSerializer,
    TransferSerializer,
)
from jointoit.pages.forms import Form, instant, moment, text


class TransferForm(Form):
    serializer_class = TransferSerializer

    email = text(_("E-mail of your friend"), type="email", attrs={"autocomplete": "off"})


# ── What organizers do besides ────────────────────────────────────────────────────────────────────────────────────────


class QuestionForm(Form):
    serializer_class = QuestionSerializer

    label = text(_("What do you ask?"))
    help = text(_("What helps to answer it"), required=False)
    type = forms.ChoiceField(
        label=_("How is it answered?"),
        choices=[
            ("text", _("With a few words")),
            ("long_text", _("With a longer text")),
            ("choice", _("One of several options")),
            ("choices", _("Any of several options")),
            ("consent", _("With a tick: I agree")),
            ("number", _("With a number")),
            ("date", _("With a day")),
        ],
    )
    options = text(
        _("Options"),
        type="area",
        widget=forms.Textarea,
        required=False,
        help_text=_("One in each line; only where there are several to choose from."),
    )
    required = forms.BooleanField(label=_("Nobody gets a seat without an answer"), required=False)

    def given(self) -> dict[str, Any]:
        given = super().given()
        lines = [line.strip() for line in given["options"].splitlines()]
        return given | {"options": [line for line in lines if line]}

    @staticmethod
    def initial_of(question: Question) -> dict[str, Any]:
        shown = {name: getattr(question, name) for name in QuestionForm.base_fields}
        return shown | {"options": "\n".join(question.options)}


class AnnouncementForm(Form):
    serializer_class = NewAnnouncementSerializer

    subject = text(_("Subject"))
    text = text(_("Text"), type="area", widget=forms.Textarea, attrs={"dir": "auto"})
    to = forms.MultipleChoiceField(
        label=_("To whom?"),
        initial=["confirmed"],
        choices=[
            ("confirmed", _("Who has a seat")),
            ("pending", _("Who asked for a seat")),
            ("waitlisted", _("Who waits")),
            ("admitted", _("Who was let in")),
            ("absent", _("Who has a seat and was not let in")),
        ],
        widget=forms.CheckboxSelectMultiple,
    )


class GuestForm(Form):
    serializer_class = GuestSerializer

    email = text(_("E-mail"), type="email", attrs={"autocomplete": "off"})
    first_name = text(_("First name"), required=False, attrs={"autocomplete": "off"})
    last_name = text(_("Last name"), required=False, attrs={"autocomplete": "off"})


class DuplicateForm(Form):
    """The new date is one on the clocks of the place."""

    serializer_class = DuplicateSerializer

    date = moment(_("Starts"))
    title = text(_("Title"))

    def __init__(self, event: Event, data: QueryDict | None = None) -> None:
        super().__init__(data, initial={"title": event.title})
        self.place = ZoneInfo(event.timezone)

    def given(self) -> dict[str, Any]:
        return super().given() | {"date": instant(self, "date", self.place)}
