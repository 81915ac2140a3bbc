"""What an event asks, as its organizer puts it."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from jointoit.errors import DomainError
from jointoit.events import questions
from jointoit.events.models import Event, Question
from jointoit.pages.accounts import whole_number
from jointoit.pages.manage import ManageView
from jointoit.pages.tool_forms import QuestionForm

MOVES = {"up": -1, "down": 1}


class QuestionsView(ManageView):
    """All of them in their order, and one more."""

    tab = "questions"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self.page(self.find(pk), QuestionForm())

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        event, do = self.find(pk), request.POST.get("do", "")
        if do in MOVES:
            question = whole_number(request.POST.get("id"))
            questions.move(caller=self.caller, event_id=pk, question_id=question, by=MOVES[do], now=self.now)
            return redirect("page-manage-questions", pk)
        form = QuestionForm(request.POST)
        if form.is_valid():
            try:
                questions.add(caller=self.caller, event_id=pk, fields=form.cleaned_data, now=self.now)
            except DomainError as error:
                form.refuse(error)
            else:
                messages.success(request, _("Whoever registers from now on is asked."))
                return redirect("page-manage-questions", pk)
        return self.page(event, form, 400)

    def page(self, event: Event, form: QuestionForm, status: int = 200) -> HttpResponse:
        names = dict(QuestionForm.base_fields["type"].choices)  # type: ignore[attr-defined]
        rows = [{"question": each, "type_name": names[each.type]} for each in event.questions.all()]
        asked = [row for row in rows if not row["question"].archived]
        archived = [row for row in rows if row["question"].archived]
        return self.show("questions", event, status, form=form, asked=asked, archived=archived)


class QuestionView(ManageView):
    """One of them: changed, put away, or deleted as long as nobody has answered it."""

    tab = "questions"

    def get(self, request: HttpRequest, pk: int, question: int) -> HttpResponse:
        event = self.find(pk)
        found = questions.existing(event, question)
        return self.page(event, found, QuestionForm(initial=QuestionForm.initial_of(found)))

    def page(self, event: Event, question: Question, form: QuestionForm, status: int = 200) -> HttpResponse:
        shown = {"question": question, "form": form, "is_answered": questions.is_answered(question)}
        return self.show("question", event, status, **shown)

    def post(self, request: HttpRequest, pk: int, question: int) -> HttpResponse:
        event = self.find(pk)
        found = questions.existing(event, question)
        form = QuestionForm(request.POST, initial=QuestionForm.initial_of(found))
        do = request.POST.get("do", "")
        if do not in ("archive", "restore", "delete") and not form.is_valid():
            return self.page(event, found, form, 400)
        named: dict[str, Any] = {"caller": self.caller, "event_id": pk, "question_id": question, "now": self.now}
        try:
            if do == "delete":
                questions.remove(**named)
            elif do in ("archive", "restore"):
                questions.change(**named, fields={"archived": do == "archive"})
            else:
                questions.change(**named, fields=form.cleaned_data)
        except DomainError as error:
            return self.refused(event, found, form, error)
        messages.success(request, _("Deleted.") if do == "delete" else _("Saved."))
        return redirect("page-manage-questions", pk)

    def refused(self, event: Event, question: Question, form: QuestionForm, error: DomainError) -> HttpResponse:
        if not form.is_bound or "label" not in form.data:
            form = QuestionForm(initial=QuestionForm.initial_of(question))
            return self.show("question", event, 409, question=question, form=form, refusal=str(error), is_answered=True)
        form.refuse(error)
        return self.page(event, question, form, 400)
