"""One's own registrations: signed in, or by the link of a mail, which is its own proof."""

from contextlib import suppress
from typing import Any, ClassVar, Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt

from jointoit.accounts import calendar_addresses
from jointoit.accounts.callers import Caller
from jointoit.accounts.models import CalendarAddress
from jointoit.api.lists.pagination import first_rows
from jointoit.api.lists.prepared import Row
from jointoit.api.problems.mapping import problem_of
from jointoit.checkin import tickets
from jointoit.errors import DomainError, ManyInvalid, NotFound
from jointoit.events import answers, booking, registration_queries, roles
from jointoit.events.models import Event, Registration
from jointoit.events.parameters import RegistrationParameters
from jointoit.journal.reader import history
from jointoit.mail import links
from jointoit.mail.times import moment, when
from jointoit.organizing import resending, transfers
from jointoit.pages.answers import AnswersForm
from jointoit.pages.answers import told as in_words
from jointoit.pages.base import PageView, demand
from jointoit.pages.events import moment_of, path_of
from jointoit.pages.tickets import AFTER_THE_END, drawing, ticket_path_of
from jointoit.pages.tool_forms import TransferForm

Status = Registration.Status
MOST_FACTS: Final = 50
#: What happened to a registration, told to its attendee.
FACTS: Final = {
    "registration.pending": gettext_lazy("You asked for a seat."),
    "registration.confirmed": gettext_lazy("You got a seat."),
    "registration.waitlisted": gettext_lazy("You joined the waiting list."),
    "registration.promoted": gettext_lazy("A seat became free, and you got it."),
    "registration.declined": gettext_lazy("The organizer declined."),
    "registration.cancelled": gettext_lazy("The registration was cancelled."),
    "registration.added": gettext_lazy("The organizer put you on the list."),
    "registration.transferred": gettext_lazy("You handed the seat on."),
    "registration.received": gettext_lazy("You took over the seat of somebody else."),
    "ticket.reissued": gettext_lazy("You got a new ticket; the old one is void."),
    "checkin.admitted": gettext_lazy("You were let in."),
    "checkin.refused": gettext_lazy("The ticket was refused at the door."),
    "checkin.undone": gettext_lazy("A scan was taken back."),
}
#: By the name of the button: what came of it.
DONE: Final = {
    "answer": gettext_lazy("Your answers are saved."),
    "offer": gettext_lazy("A mail with your offer is on its way. The seat is yours until it is accepted."),
    "withdraw": gettext_lazy("The offer is taken back. The seat stays yours."),
    "reissue": gettext_lazy("This is your new ticket; a mail brings it too. The old one is void."),
    "mail": gettext_lazy("The mail is on its way."),
}
#: The form with what is wrong, by its name, and the status of its page; None where it was done.
Refused = tuple[int, dict[str, Any]] | None


class MineView(PageView):
    needs_account = True
    parameters_class = RegistrationParameters

    def get(self, request: HttpRequest) -> HttpResponse:
        is_past = request.GET.get("upcoming") == "false"
        listing = registration_queries.own_list({"upcoming": not is_past}, caller=self.caller, now=self.now)
        found = self.page_of(listing, RegistrationParameters)
        zone = self.person.timezone
        rows = [row | {"when": moment_of({"date": row["event_date"], "ends_at": None}, zone)} for row in found.rows]
        return self.render("mine", page=found, rows=rows, is_past=is_past)


class CalendarAddressView(PageView):
    """Where a calendar program reads one's registrations; the address is shown when it is made, and never again."""

    needs_account = True

    def get(self, request: HttpRequest) -> HttpResponse:
        made_at = CalendarAddress.objects.filter(user=self.person).values_list("made_at", flat=True).first()
        return self.render("calendar", made_at=made_at)

    def post(self, request: HttpRequest) -> HttpResponse:
        url, _is_first = calendar_addresses.make(user=self.person, now=self.now)
        return self.render("calendar", url=url)


class RegistrationView(PageView):
    """One registration: where it stands, its ticket, answers, what happened, and what one may do with it.

    A few small forms, told apart by the name of their button.
    """

    needs_account: ClassVar[bool] = True
    template: ClassVar[str] = "registration"

    def get(self, request: HttpRequest, **named: Any) -> HttpResponse:
        return self.show(self.find(**named), **named)

    def post(self, request: HttpRequest, **named: Any) -> HttpResponse:
        registration, do = self.find(**named), request.POST.get("do", "")
        act = {
            "answer": self.answer,
            "offer": self.offer,
            "withdraw": self.withdraw,
            "reissue": self.reissue,
            "mail": self.send_mail,
        }.get(do)
        try:
            refused = act(registration) if act else None
        except DomainError as error:
            problem = problem_of(error, request)
            assert problem
            response = self.show(registration, problem.status, refusal=problem.detail, **named)
            for name, value in problem.headers.items():
                response[name] = value
            return response
        if refused:
            status, form = refused
            return self.show(registration, status, **form, **named)
        return redirect(f"{self.paths(**named)['own_path']}?{urlencode({'done': do})}")

    def find(self, pk: int) -> Registration:
        """Raises NotFound for what is not the reader's own."""
        found = Registration.objects.select_related("event__organizer", "attendee").filter(pk=pk).first()
        if found is None or not roles.is_own(found, self.caller):
            raise NotFound
        return found

    def paths(self, pk: int) -> dict[str, str]:
        names = {"own_path": "page-registration", "cancel_path": "page-registration-cancel"}
        return {name: reverse(route, args=[pk]) for name, route in names.items()}

    # What may be done: each returns the form with what is wrong and the status of its page, if it is a form's fault.

    def answer(self, registration: Registration) -> Refused:
        form = AnswersForm(answers.asked(registration.event), self.request.POST)
        if form.is_valid():
            try:
                booking.set_status(
                    registration_id=registration.pk, caller=Caller(registration.attendee), status=None, now=self.now,
                    answered=form.answered,
                )  # fmt: skip
                return None
            except ManyInvalid as error:
                form.refuse(error)
        return form.status, {"answers_form": form}

    def offer(self, registration: Registration) -> Refused:
        form = TransferForm(self.request.POST)
        if form.is_valid():
            demand("invite", f"user:{registration.attendee_id}", now=self.now)
            caller = Caller(registration.attendee)
            transfers.offer(caller=caller, registration_id=registration.pk, now=self.now, **form.cleaned_data)
            return None
        return 400, {"transfer_form": form}

    def withdraw(self, registration: Registration) -> Refused:
        with suppress(NotFound):  # pressed twice
            caller = Caller(registration.attendee)
            transfers.withdraw(caller=caller, registration_id=registration.pk, now=self.now)
        return None

    def reissue(self, registration: Registration) -> Refused:
        tickets.reissue(registration_id=registration.pk, caller=Caller(registration.attendee), now=self.now)
        return None

    def send_mail(self, registration: Registration) -> Refused:
        resending.send_again(caller=Caller(registration.attendee), registration_id=registration.pk, now=self.now)
        return None

    def show(self, registration: Registration, status: int = 200, **named: Any) -> HttpResponse:
        event = registration.event
        forms = {name: named.pop(name) for name in ("answers_form", "transfer_form", "refusal") if name in named}
        row = registration_queries.visible_detail(registration.pk, caller=Caller(registration.attendee))
        ticket = tickets.issued(registration) if registration.status == Status.CONFIRMED else None
        is_over, is_off = event.over_at <= self.now, row["event_status"] == Event.Status.CANCELLED
        is_live = registration.status != Status.CANCELLED and not is_over
        facts = first_rows(history({"registration": registration.pk}), MOST_FACTS)
        shown: dict[str, Any] = {
            "registration": registration,
            "event": event,
            "is_gone": event.deleted_at is not None,
            "is_off": is_off,
            "is_over": is_over,
            "position": row["position"],
            "when": when(event, event.timezone),
            "event_path": path_of(event.pk, event.title),
            "qr": ticket and drawing(ticket.token),
            "code": ticket and ticket.code,
            "ticket_path": ticket and ticket_path_of(registration),
            "may_cancel": is_live,
            "facts": [told(fact, registration.attendee.timezone) for fact in reversed(facts)],
            "done": DONE.get(self.request.GET.get("done", "")),
            **(self.answers_of(registration) if is_live or registration.answers else {}),
            **(self.transfer_of(registration) if ticket and event.allow_transfers else {}),
        }  # fmt: skip
        template = self.template if is_live else "registration"
        return self.render(template, status, **shown | forms | self.paths(**named))

    def answers_of(self, registration: Registration) -> dict[str, Any]:
        """The form while answers may be changed, then what they were."""
        event = registration.event
        if registration.status != Status.CANCELLED and not event.has_started(self.now):
            questions = answers.asked(event)
            form = AnswersForm(questions, given=registration.answers)
            misses = any(each.required and str(each.pk) not in registration.answers for each in questions)
            return {"answers_form": form if questions else None, "misses_answers": misses}
        return {"answers": in_words(list(event.questions.all()), registration.answers)}

    def transfer_of(self, registration: Registration) -> dict[str, Any]:
        if registration.event.has_started(self.now):
            return {}
        return {"offered": transfers.opened(registration).first(), "transfer_form": TransferForm()}


class CancelRegistrationView(RegistrationView):
    """Asks before it is given up."""

    template = "cancel_registration"

    def post(self, request: HttpRequest, **named: Any) -> HttpResponse:
        registration = self.find(**named)
        attendee = Caller(registration.attendee)
        booking.set_status(registration_id=registration.pk, caller=attendee, status=Status.CANCELLED, now=self.now)
        return redirect(self.paths(**named)["own_path"])


# ── By the link of a mail ─────────────────────────────────────────────────────────────────────────────────────────────


@method_decorator(csrf_exempt, name="dispatch")
class LinkedRegistrationView(RegistrationView):
    """The same for whoever has the mail. The token is the proof: the form needs no other (jointoit.accounts.pages)."""

    needs_account = False
    is_secret = True

    def find(self, token: str) -> Registration:  # type: ignore[override]
        """Raises BadToken for a link that is forged, of another purpose or person, or of an event long over."""
        pk, digest = links.own_registration_of(token)
        found = Registration.objects.select_related("event__organizer", "attendee").filter(pk=pk).first()
        if found is None or not found.attendee.is_active or digest != links.digest_of(found.attendee.email):
            raise links.BadToken(field="token")
        if found.event.over_at + AFTER_THE_END <= self.now:
            raise links.BadToken(field="token")
        return found

    def paths(self, token: str) -> dict[str, str]:  # type: ignore[override]
        names = {"own_path": "page-linked-registration", "cancel_path": "page-linked-cancel"}
        return {name: reverse(route, args=[token]) for name, route in names.items()}


class LinkedCancelView(LinkedRegistrationView, CancelRegistrationView):
    """The question, for whoever has the mail."""


def told(fact: Row, timezone: str) -> dict[str, str]:
    return {"at": moment(fact["at"], timezone), "sentence": str(FACTS.get(fact["type"], fact["type"]))}
