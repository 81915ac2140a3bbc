"""The ticket in a mail: its picture, its code, its page, and the same for programs that read mails (schema.org).

It is made when the mail is sent, of the facts that were promised and the newest key of the deployment.
"""

from collections.abc import Callable
from dataclasses import dataclass
from email.mime.image import MIMEImage
from typing import Any

import orjson
from django.utils.safestring import SafeString, mark_safe

from jointoit.mail import links
from jointoit.mail.messages import TicketMessage
from jointoit.mail.sender import domain
from jointoit.tickets import codes, qr, tokens

#: Within a script nothing may look like markup (as `django.utils.html.json_script` has it).
ESCAPED = {ord("<"): "\\u003C", ord(">"): "\\u003E", ord("&"): "\\u0026"}


@dataclass(frozen=True)
class MailedTicket:
    token: str
    code: str
    page: str


TicketOf = Callable[[TicketMessage], MailedTicket]


def ticket_of(message: TicketMessage) -> MailedTicket:
    issue = message.ticket_issue
    return MailedTicket(
        token=tokens.sign(tokens.Ticket(message.event.id, message.registration_id, issue)),
        code=codes.write(message.registration_id, issue),
        page=links.ticket_address(links.mint_ticket(message.registration_id, issue)),
    )


def masked_ticket(message: TicketMessage) -> MailedTicket:
    """For who looks at a mail that is not theirs: it opens no door."""
    return MailedTicket(token="", code="····-····-··", page=links.ticket_address("masked"))


def content_id() -> str:
    """What the page of a mail names its picture by (RFC 2392)."""
    return f"ticket@{domain()}"


def picture(message: TicketMessage) -> MIMEImage:
    """The QR as a part of the mail, so that nothing is loaded from anywhere."""
    image = MIMEImage(qr.png(ticket_of(message).token, scale=6), "png")
    image["Content-ID"] = f"<{content_id()}>"
    image["Content-Disposition"] = 'inline; filename="ticket.png"'
    return image


def markup(message: TicketMessage, ticket: MailedTicket) -> SafeString:
    """JSON-LD by which mail programs offer the ticket when it is needed."""
    event = message.event
    found: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "EventReservation",
        "reservationNumber": ticket.code,
        "reservationStatus": "https://schema.org/ReservationConfirmed",
        "underName": {"@type": "Person", "name": message.to.name},
        "reservationFor": {
            "@type": "Event",
            "name": event.title,
            "startDate": event.date,
            **({"endDate": event.ends_at} if event.ends_at else {}),
            "location": {"@type": "Place", "name": event.location, "address": event.location},
            "organizer": {"@type": "Person", "name": event.organizer_name},
            "url": event.url,
        },
        "reservedTicket": {
            "@type": "Ticket",
            "ticketNumber": ticket.code,
            "ticketToken": f"qrCode:{ticket.token}",
            "url": ticket.page,
        },
        "modifyReservationUrl": message.registration_url,
    }
    return mark_safe(orjson.dumps(found, option=orjson.OPT_UTC_Z).decode().translate(ESCAPED))  # noqa: S308  escaped
