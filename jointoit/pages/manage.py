"""What an organizer sees and does, and what will come of it, said first."""

from typing import Any, ClassVar, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from jointoit.errors import DomainError
from jointoit.events import event_queries, roles, scheduling
from jointoit.events.models import Event, Registration
from jointoit.events.parameters import EventParameters, HistoryParameters
from jointoit.events.refusals import NotYourEvent
from jointoit.journal.reader import history
from jointoit.mail.times import moment, when
from jointoit.organizing import duplication
from jointoit.pages.base import PageView
from jointoit.pages.events import moment_of, path_of
from jointoit.pages.forms import EventForm, NewEventForm, ReasonForm
from jointoit.pages.tool_forms import DuplicateForm

Status = Registration.Status


class EventListView(PageView):
    """My events, and those that I help with."""

    needs_account = True
    parameters_class = EventParameters

    def get(self, request: HttpRequest) -> HttpResponse:
        is_past = request.GET.get("upcoming") == "false"
        asked = {"role": "any", "upcoming": not is_past, "ordering": "-date" if is_past else "date"}
        listing = event_queries.event_list(asked, reader=self.person.pk, now=self.now)
        page = self.page_of(listing, EventParameters)
        shown = [row["id"] for row in page.rows]
        managed = event_queries.managed_among(shown, reader=self.person.pk)
        rows = [row | {"when": moment_of(row), "is_managed": row["id"] in managed} for row in page.rows]
        return self.render("manage/events", page=page, rows=rows, is_past=is_past)


class NewEventView(PageView):
    needs_account = True

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.render("manage/new", form=NewEventForm(initial={"timezone": self.person.timezone}))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = NewEventForm(request.POST)
        if form.is_valid():
            try:
                event = scheduling.create(organizer=self.person, now=self.now, fields=form.cleaned_data)
            except DomainError as error:
                form.refuse(error)
            else:
                messages.success(request, _("Saved as a draft.") if event.status == "draft" else _("Published."))
                return redirect("page-manage-event", event.pk)
        return self.render("manage/new", 400, form=form)


# ── One event ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class ManageView(PageView):
    """A page about one event, for who manages it."""

    needs_account = True
    tab: ClassVar[str] = "overview"

    def find(self, pk: int) -> Event:
        """Raises NotFound where the reader may not know of it, NotYourEvent where they do not manage it."""
        event = event_queries.visible_event(pk, caller=self.caller)
        if roles.manager(self.caller, event) is None:
            raise NotYourEvent
        return event

    def show(self, template: str, event: Event, status: int = 200, **shown: Any) -> HttpResponse:
        always = {
            "event": event,
            "tab": self.tab,
            "when": when(event, event.timezone),
            "event_path": path_of(event.pk, event.title),
            "is_owner": roles.owner(self.caller, event) is not None,
            "is_over": event.over_at <= self.now,
        }
        return self.render(f"manage/{template}", status, **always | shown)


def live(event: Event) -> int:
    return event.registrations.live().count()


def mails(people: int) -> str:
    """How many will hear of it."""
    if not people:
        return _("Nobody will get a mail.")
    return ngettext("%(n)s person will get a mail.", "%(n)s people will get a mail.", people) % {"n": people}


class OverviewView(ManageView):
    """What needs the organizer now."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        event = self.find(pk)
        return self.show("overview", event, pending=event.registrations.filter(status=Status.PENDING).count())


class EditView(ManageView):
    tab = "edit"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        event = self.find(pk)
        return self.form(event, EventForm(initial=EventForm.initial_of(event)))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        event = self.find(pk)
        form = EventForm(request.POST, initial=EventForm.initial_of(event))
        if form.is_valid():
            try:
                scheduling.change(event_id=pk, caller=self.caller, fields=form.cleaned_data, now=self.now)
            except DomainError as error:
                form.refuse(error)
            else:
                messages.success(request, _("Saved."))
                return redirect("page-manage-event", pk)
        return self.form(event, form, 400)

    def form(self, event: Event, form: EventForm, status: int = 200) -> HttpResponse:
        told = mails(live(event)) if event.status == Event.Status.PUBLISHED else ""
        return self.show("edit", event, status, form=form, told=told)


class QuestionView(ManageView):
    """Says what will happen, and does it when the button is pressed."""

    template: ClassVar[str]
    done: ClassVar[Any]

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        event = self.find(pk)
        return self.show(self.template, event, told=mails(live(event)))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        self.act(pk)
        messages.success(request, self.done)
        return redirect("page-manage-event", pk)

    def act(self, pk: int) -> None:
        raise NotImplementedError


class PublishView(QuestionView):
    template, done = "publish", gettext_lazy("Published. Everybody can see it now.")

    def act(self, pk: int) -> None:
        scheduling.publish(event_id=pk, caller=self.caller, now=self.now)


class CancelView(QuestionView):
    template, done = "cancel", gettext_lazy("The event is cancelled, and everybody is being told.")

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self.ask(pk, ReasonForm())

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        form = ReasonForm(request.POST)
        if not form.is_valid():
            return self.ask(pk, form, 400)
        scheduling.cancel(event_id=pk, caller=self.caller, now=self.now, **form.cleaned_data)
        messages.success(request, self.done)
        return redirect("page-manage-event", pk)

    def ask(self, pk: int, form: ReasonForm, status: int = 200) -> HttpResponse:
        event = self.find(pk)
        return self.show(self.template, event, status, told=mails(live(event)), form=form)


class DeleteView(QuestionView):
    template = "delete"

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        scheduling.delete(event_id=pk, caller=self.caller, now=self.now)
        messages.success(request, _("The event is deleted."))
        return redirect("page-manage")


class DuplicateView(ManageView):
    """The same again on another day, as a draft."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        event = self.find(pk)
        return self.show("duplicate", event, form=DuplicateForm(event))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        event = self.find(pk)
        form = DuplicateForm(event, request.POST)
        if form.is_valid():
            try:
                made = duplication.duplicate(caller=self.caller, event_id=pk, now=self.now, **form.cleaned_data)
            except DomainError as error:
                form.refuse(error)
            else:
                messages.success(request, _("This is the copy, as a draft. Nobody else sees it yet."))
                return redirect("page-manage-event", made.pk)
        return self.show("duplicate", event, 400, form=form)


# ── What happened ─────────────────────────────────────────────────────────────────────────────────────────────────────

FACTS: Final = {
    "event.created": gettext_lazy("Event created"),
    "event.changed": gettext_lazy("Event changed"),
    "event.published": gettext_lazy("Event published"),
    "event.cancelled": gettext_lazy("Event cancelled"),
    "event.deleted": gettext_lazy("Event deleted"),
    "event.handed_over": gettext_lazy("Event handed over"),
    "registration.pending": gettext_lazy("Somebody asked for a seat"),
    "registration.confirmed": gettext_lazy("Seat confirmed"),
    "registration.waitlisted": gettext_lazy("Joined the waiting list"),
    "registration.promoted": gettext_lazy("Got a seat that became free"),
    "registration.declined": gettext_lazy("Registration declined"),
    "registration.cancelled": gettext_lazy("Registration cancelled"),
    "registration.added": gettext_lazy("Brought in by the organizer"),
    "registration.transferred": gettext_lazy("Seat handed on"),
    "registration.received": gettext_lazy("Seat taken over"),
    "event.announced": gettext_lazy("Announcement sent"),
    "event.question_asked": gettext_lazy("Question added"),
    "event.question_changed": gettext_lazy("Question changed"),
    "event.question_removed": gettext_lazy("Question removed"),
    "ticket.reissued": gettext_lazy("New ticket; the old one is void"),
    "checkin.admitted": gettext_lazy("Let in"),
    "checkin.refused": gettext_lazy("Refused at the door"),
    "checkin.undone": gettext_lazy("Scan taken back"),
    "team.changed": gettext_lazy("Team changed"),
}


class HistoryView(ManageView):
    tab = "history"
    parameters_class = HistoryParameters

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        event = self.find(pk)
        page = self.page_of(history({"event": pk}), HistoryParameters, size=50)
        rows = [
            {"at": moment(row["at"], event.timezone), "what": FACTS.get(row["type"], row["type"])}
            | {name: row[name] for name in ("actor_kind", "actor_id", "registration_id")}
            for row in page.rows
        ]
        return self.show("history", event, page=page, rows=rows)
