"""The page of a ticket: by a link that shows it, and is not the ticket itself."""

from datetime import timedelta
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.safestring import mark_safe

from jointoit.checkin import tickets
from jointoit.events.models import Registration
from jointoit.mail import links
from jointoit.mail.times import when
from jointoit.pages.base import PageView
from jointoit.tickets import qr

Status = Registration.Status
AFTER_THE_END: Final = timedelta(days=30)  # for which the link of a mail still shows what it is about


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


def ticket_path_of(registration: Registration) -> str:
    return reverse("page-ticket", args=[links.mint_ticket(registration.pk, registration.ticket_issue)])


def drawing(token: str) -> str:
    return mark_safe(qr.svg(token).decode().partition("?>")[2])  # noqa: S308  drawn by us, of a token of ours
