"""One's own registrations: signed in, or by the link of a mail, which is its own proof."""

from datetime import timedelta
from typing import Any, ClassVar, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt

from jointoit.accounts import calendar_addresses
from jointoit.accounts.callers import Caller
from jointoit.accounts.models import CalendarAddress
from jointoit.api.lists.pagination import first_rows
from jointoit.api.lists.prepared import Row
from jointoit.checkin import tickets
from jointoit.errors import NotFound
from jointoit.events import booking, registration_queries, roles
from jointoit.events.models import Event, Registration
from jointoit.events.parameters import RegistrationParameters
from jointoit.journal.reader import history
from jointoit.mail import links
from jointoit.mail.times import moment, when
from jointoit.pages.base import PageView
from jointoit.pages.events import moment_of, path_of
from jointoit.tickets import qr

Status = Registration.Status
AFTER_THE_END: Final = timedelta(days=30)  # for which the link of a mail still shows what it is about
MOST_FACTS: Final = 50
#: What happened to a registration, told to its attendee.
FACTS: Final = {
    "registration.pending": gettext_lazy("You asked for a seat."),
    "registration.confirmed": gettext_lazy("You got a seat."),
    "registration.waitlisted": gettext_lazy("You joined the waiting list."),
    "registration.promoted": gettext_lazy("A seat became free, and you got it."),
    "registration.declined": gettext_lazy("The organizer declined."),
    "registration.cancelled": gettext_lazy("The registration was cancelled."),
    "ticket.reissued": gettext_lazy("You got a new ticket; the old one is void."),
    "checkin.admitted": gettext_lazy("You were let in."),
    "checkin.refused": gettext_lazy("The ticket was refused at the door."),
    "checkin.undone": gettext_lazy("A scan was taken back."),
}


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
    """One registration: where it stands, its ticket, what happened; `question` asks before it is given up."""

    needs_account: ClassVar[bool] = True
    question: ClassVar[bool] = False

    def get(self, request: HttpRequest, **named: Any) -> HttpResponse:
        return self.show(self.find(**named), **named)

    def post(self, request: HttpRequest, **named: Any) -> HttpResponse:
        registration = self.find(**named)
        if self.question:
            attendee = Caller(registration.attendee)
            booking.set_status(registration_id=registration.pk, caller=attendee, status=Status.CANCELLED, now=self.now)
        return redirect(self.paths(**named)["own_path"])

    def find(self, pk: int) -> Registration:
        """Raises NotFound for what is not the reader's own."""
        found = Registration.objects.select_related("event__organizer", "attendee").filter(pk=pk).first()
        if found is None or not roles.is_own(found, self.caller):
            raise NotFound
        return found

    def paths(self, pk: int) -> dict[str, str]:
        names = {"own_path": "page-registration", "cancel_path": "page-registration-cancel"}
        return {name: reverse(route, args=[pk]) for name, route in names.items()}

    def show(self, registration: Registration, **named: Any) -> HttpResponse:
        event = registration.event
        row = registration_queries.visible_detail(registration.pk, caller=Caller(registration.attendee))
        ticket = tickets.issued(registration) if registration.status == Status.CONFIRMED else None
        is_over = event.over_at <= self.now
        facts = first_rows(history({"registration": registration.pk}), MOST_FACTS)
        shown: dict[str, Any] = {
            "registration": registration,
            "event": event,
            "is_gone": event.deleted_at is not None,
            "is_off": row["event_status"] == Event.Status.CANCELLED,
            "is_over": is_over,
            "position": row["position"],
            "when": when(event, event.timezone),
            "event_path": path_of(event.pk, event.title),
            "qr": ticket and drawing(ticket.token),
            "code": ticket and ticket.code,
            "ticket_path": ticket and ticket_path_of(registration),
            "may_cancel": registration.status != Status.CANCELLED and not is_over,
            "facts": [told(fact, registration.attendee.timezone) for fact in reversed(facts)],
        }  # fmt: skip
        template = "cancel_registration" if self.question and shown["may_cancel"] else "registration"
        return self.render(template, **shown | self.paths(**named))


class CancelRegistrationView(RegistrationView):
    question = True


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


class LinkedCancelView(LinkedRegistrationView):
    question = True


class TicketView(PageView):
    """The ticket alone, as large as the screen lets it; void ones say so."""

    is_secret = True

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        registration, is_void = self.find(token)
        ticket = None if is_void else tickets.issued(registration)
        event = registration.event
        shown: dict[str, Any] = {
            "event": event,
            "attendee": registration.attendee,
            "when": when(event, event.timezone),
            "token": token,
        }
        return self.render("ticket", **shown, code=ticket and ticket.code, qr=ticket and drawing(ticket.token))

    def find(self, token: str) -> tuple[Registration, bool]:
        """The registration, and whether this ticket is good no more. Raises BadToken."""
        pk, issue = links.ticket_of(token)
        found = Registration.objects.select_related("event", "attendee").filter(pk=pk).first()
        if found is None or found.event.over_at + AFTER_THE_END <= self.now:
            raise links.BadToken(field="token")
        return found, found.ticket_issue != issue or found.status != Status.CONFIRMED


class TicketPictureView(TicketView):
    """The QR as a picture to keep."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        registration, is_void = self.find(token)
        if is_void:
            raise tickets.NoTicket
        response = HttpResponse(qr.png(tickets.issued(registration).token), content_type="image/png")
        response["Content-Disposition"] = f'attachment; filename="ticket-{registration.pk}.png"'
        return response


def told(fact: Row, timezone: str) -> dict[str, str]:
    return {"at": moment(fact["at"], timezone), "sentence": str(FACTS.get(fact["type"], fact["type"]))}


def ticket_path_of(registration: Registration) -> str:
    return reverse("page-ticket", args=[links.mint_ticket(registration.pk, registration.ticket_issue)])


def drawing(token: str) -> str:
    return mark_safe(qr.svg(token).decode().partition("?>")[2])  # noqa: S308  drawn by us, of a token of ours
