"""Those who come: all of them, many at once, one by one, and one more."""

import json
from typing import Final

from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from rest_framework.exceptions import ValidationError

from jointoit.api.lists.pagination import first_rows
from jointoit.api.lists.prepared import Row
from jointoit.api.problems.mapping import problem_of
from jointoit.checkin import tickets
from jointoit.errors import DomainError, ManyInvalid, NotFound
from jointoit.events import answers, notifications, registration_queries
from jointoit.events.attendees import streamed
from jointoit.events.models import Event, Registration
from jointoit.events.parameters import AttendeeParameters
from jointoit.journal.reader import history
from jointoit.mail import outbox
from jointoit.mail.models import OutboxMail
from jointoit.mail.times import moment
from jointoit.organizing import guests, resending, steps
from jointoit.pages.accounts import whole_number
from jointoit.pages.answers import AnswersForm
from jointoit.pages.answers import told as answers_told
from jointoit.pages.base import demand, read
from jointoit.pages.manage import FACTS, ManageView, mails
from jointoit.pages.tool_forms import GuestForm, ReasonForm

Status = Registration.Status
MOST: Final = 50  # mails and facts of one person
MOST_STEPS: Final = 200
ADDED: Final = {
    Status.CONFIRMED: gettext_lazy("Added, with a seat. A mail says so."),
    Status.WAITLISTED: gettext_lazy("Added, at the end of the waiting list. A mail says so."),
    Status.PENDING: gettext_lazy("Added. A mail says so."),
}


class PeopleView(ManageView):
    tab = "people"
    parameters_class = AttendeeParameters

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        event = self.find(pk)
        try:
            asked = read(request, AttendeeParameters)
        except ValidationError:
            asked = {}
        page = self.page_of(registration_queries.attendee_list(asked, event=pk), AttendeeParameters, size=50)
        counts = dict(event.registrations.values_list("status").annotate(Count("pk")).order_by())
        latest = outbox.latest(f"registration:{row['id']}" for row in page.rows)
        rows = [row | private(row) | {"mail": latest.get(f"registration:{row['id']}")} for row in page.rows]
        return self.show(
            "people",
            event,
            page=page,
            rows=rows,
            asked=asked,
            statuses=[(value, label, counts.get(value, 0)) for value, label in Status.choices],
        )


def private(row: Row) -> dict[str, str]:
    """Names and address, which the statement reads as one value; psycopg hands JSON over as text."""
    given = row["attendee_private"]
    read: dict[str, str] = json.loads(given) if isinstance(given, str) else given
    return read


class PeopleFileView(ManageView):
    def get(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        event = self.find(pk)
        listing = registration_queries.attendee_list(read(request, AttendeeParameters), event=pk)
        return streamed(registration_queries.attendee_lines(listing, event), name=f"event-{pk}-registrations.csv")


class StepView(ManageView):
    """Approve or cancel many at once: the first form says what will happen, the second does it."""

    tab = "people"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return redirect("page-manage-people", pk)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        event = self.find(pk)
        status = Status.CONFIRMED if request.POST.get("status") == Status.CONFIRMED else Status.CANCELLED
        chosen = list(dict.fromkeys(map(whole_number, request.POST.getlist("registration"))))[:MOST_STEPS]
        people = list(event.registrations.live().filter(pk__in=chosen).select_related("attendee").order_by("pk"))
        if status == Status.CONFIRMED:
            people = [each for each in people if each.status == Status.PENDING]
        if not people:
            messages.warning(request, _("Choose somebody first; whoever has no such step to take is left out."))
            return redirect("page-manage-people", pk)
        form = ReasonForm(request.POST if "sure" in request.POST else None)
        if not form.is_valid():
            shown = {"people": people, "to": status, "told": mails(len(people)), "form": form}
            return self.show("step", event, 400 if form.errors else 200, **shown)
        reason = form.cleaned_data.get("reason", "") if status == Status.CANCELLED else ""
        self.take(event, people, status, reason)
        return redirect("page-manage-people", pk)

    def take(self, event: Event, people: list[Registration], status: str, reason: str) -> None:
        ids = [each.pk for each in people]
        outcomes = steps.take(
            caller=self.caller, event_id=event.pk, ids=ids, status=status, reason=reason, now=self.now
        )
        refusals = [
            f"{each.attendee.get_full_name()}: {outcome['detail']}"
            for each, outcome in zip(people, outcomes, strict=True)
            if outcome["code"]
        ]
        if done := len(people) - len(refusals):
            told = ngettext("%(n)s person is being told.", "%(n)s people are being told.", done)
            messages.success(self.request, told % {"n": done})
        if refusals:
            messages.error(self.request, " ".join(refusals))


class PersonView(ManageView):
    """Where somebody stands, what they answered, and what mails they got."""

    tab = "people"

    def get(self, request: HttpRequest, pk: int, registration: int) -> HttpResponse:
        return self.page(self.find(pk), registration)

    def post(self, request: HttpRequest, pk: int, registration: int) -> HttpResponse:
        event, do = self.find(pk), request.POST.get("do", "")
        self.row(event, registration)
        try:
            if do == "reissue":
                tickets.reissue(registration_id=registration, caller=self.caller, now=self.now)
                messages.success(request, _("The old ticket is void; a mail brings the new one."))
            elif do == "mail":
                resending.send_again(caller=self.caller, registration_id=registration, now=self.now)
                messages.success(request, _("The mail is on its way."))
        except DomainError as error:
            problem = problem_of(error, request)
            assert problem
            return self.page(event, registration, problem.status, refusal=problem.detail)
        return redirect("page-manage-person", pk, registration)

    def row(self, event: Event, pk: int) -> Row:
        """Raises NotFound for who is not registered here."""
        row = registration_queries.visible_detail(pk, caller=self.caller)
        if row["event_id"] != event.pk:
            raise NotFound
        return row

    def page(self, event: Event, pk: int, status: int = 200, refusal: str = "") -> HttpResponse:
        row = self.row(event, pk)
        registration = Registration.objects.get(pk=pk)
        written = OutboxMail.objects.filter(dedupe_key__startswith=notifications.about(pk)).order_by("-pk")[:MOST]
        facts = first_rows(history({"registration": pk}), MOST)
        shown = {
            "row": row,
            "person": registration.attendee,
            "email": registration.attendee.email if registration.status != Status.CANCELLED else "",
            "answers": answers_told(list(event.questions.all()), registration.answers),
            "mails": [
                {
                    "kind": each.kind.replace("_", " "),
                    "state": each.state,
                    "at": moment(each.created_at, event.timezone),
                }
                for each in written
            ],
            "facts": [
                {"at": moment(fact["at"], event.timezone), "what": FACTS.get(fact["type"], fact["type"])}
                for fact in facts
            ],
        }
        return self.show("person", event, status, refusal=refusal, **shown)


class GuestView(ManageView):
    """Somebody who phoned, or stands at the door."""

    tab = "people"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        event = self.find(pk)
        return self.show("guest", event, form=GuestForm(), answers_form=AnswersForm(answers.asked(event)))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        event = self.find(pk)
        form, answered = GuestForm(request.POST), AnswersForm(answers.asked(event), request.POST)
        if form.is_valid() & answered.is_valid():
            demand("invite", f"user:{self.person.pk}", now=self.now)
            try:
                added = guests.add(
                    caller=self.caller, event_id=pk, answered=answered.answered, now=self.now, **form.cleaned_data
                )
            except ManyInvalid as error:
                answered.refuse(error)
            except DomainError as error:
                form.refuse(error)
            else:
                messages.success(request, ADDED[Status(added.status)])
                return redirect("page-manage-person", pk, added.pk)
        return self.show("guest", event, 400, form=form, answers_form=answered)
