"""Each view says whose object, which verb, which shape."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request

from jointoit.accounts.authentication import caller_of
from jointoit.api.http.rendering import EmptyResponse, JSONRenderer, JSONResponse
from jointoit.api.lists import parameters
from jointoit.api.lists.views import PagedView
from jointoit.api.problems.validation import InvalidParameter
from jointoit.checkin import counts, documentation, door, metrics, roster, scan_log, tickets
from jointoit.checkin import serializers as shapes
from jointoit.checkin.door import Keeper
from jointoit.checkin.parameters import (
    DryRunParameters,
    RosterPagination,
    RosterParameters,
    ScanParameters,
    SearchParameters,
)
from jointoit.checkin.permissions import DoorAuthentication, IsAtDoor
from jointoit.events import roles
from jointoit.events.attendees import AttendeeCSVRenderer, as_csv, streamed
from jointoit.events.refusals import NotYourEvent
from jointoit.tickets import keys, qr

# ── Tickets ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class SVGRenderer(JSONRenderer):
    """Lets `Accept: image/svg+xml` choose the picture; the view draws it itself."""

    media_type = "image/svg+xml"
    format = "svg"


class PNGRenderer(JSONRenderer):
    """As SVGRenderer."""

    media_type = "image/png"
    format = "png"


class TicketView(PagedView):
    permission_classes = [IsAuthenticated]
    serializer_class: Any = shapes.TicketSerializer
    scopes = {"GET": "attendees:read"}
    refusals: dict[str, dict[int, tuple[str, ...]]] = {"GET": {409: ("no_ticket",)}}

    def ticket(self) -> tickets.Ticket:
        return tickets.ticket_of(registration_id=self.kwargs["pk"], caller=caller_of(self.request))


def ticket_members(ticket: tickets.Ticket) -> dict[str, Any]:
    path = settings.PUBLIC_URL + reverse("ticket-detail", args=[ticket.registration]).removesuffix("/")
    return {
        "registration": ticket.registration, "event": ticket.event, "code": ticket.code, "token": ticket.token,
        "page": ticket.page, "svg": f"{path}.svg", "png": f"{path}.png",
    }  # fmt: skip


@documentation.ticket
class TicketDetailView(TicketView):
    def get(self, request: Request, pk: int) -> HttpResponse:
        return JSONResponse(ticket_members(self.ticket()), headers=documentation.NOT_KEPT)


def picture(content: bytes | str, media_type: str, *, name: str) -> HttpResponse:
    """To be looked at; who keeps it finds a name for it."""
    headers = {**documentation.NOT_KEPT, "Content-Disposition": f'inline; filename="{name}"'}
    return HttpResponse(content, media_type, headers=headers)


@documentation.ticket_svg
class TicketSVGView(TicketView):
    renderer_classes = [SVGRenderer]

    def get(self, request: Request, pk: int) -> HttpResponse:
        return picture(qr.svg(self.ticket().token), "image/svg+xml", name=f"ticket-{pk}.svg")


@documentation.ticket_png
class TicketPNGView(TicketView):
    renderer_classes = [PNGRenderer]

    def get(self, request: Request, pk: int) -> HttpResponse:
        return picture(qr.png(self.ticket().token), "image/png", name=f"ticket-{pk}.png")


@documentation.reissue
class ReissueView(TicketView):
    scopes = {"POST": "registrations:write"}
    refusals = {"POST": {409: ("no_ticket", "already_admitted")}}

    def post(self, request: Request, pk: int) -> HttpResponse:
        ticket = tickets.reissue(registration_id=pk, caller=caller_of(request), now=timezone.now())
        return JSONResponse(ticket_members(ticket))


@documentation.ticket_keys
class TicketKeysView(PagedView):
    permission_classes = [AllowAny]
    authentication_classes = []
    serializer_class = shapes.TicketKeysSerializer
    standalone = True

    def get(self, request: Request) -> HttpResponse:
        return JSONResponse(keys.jwks())


# ── The door ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class DoorView(PagedView):
    """For who is at the door of the event in the path."""

    authentication_classes = [DoorAuthentication]
    permission_classes = [IsAuthenticated, IsAtDoor]
    scopes = dict.fromkeys(("GET", "POST", "DELETE"), "checkin")
    user_scope = "door"

    def keeper(self) -> Keeper:
        """Raises NotFound, NotYourEvent."""
        return door.keeper_of(caller_of(self.request), self.kwargs["pk"])

    def given(self, shape: Any) -> dict[str, Any]:
        given = shape(data=self.request.data)
        given.is_valid(raise_exception=True)
        found: dict[str, Any] = given.validated_data
        return found


@documentation.door
class CheckinView(DoorView):
    serializer_class = shapes.DoorSerializer

    def get(self, request: Request, pk: int) -> HttpResponse:
        return JSONResponse(counts.summary(self.keeper().event, now=timezone.now()))


@documentation.scans
class ScanListView(DoorView):
    serializer_class = shapes.LoggedScanSerializer
    parameters_class = ScanParameters
    further_parameters = (DryRunParameters,)
    refusals = {"POST": {422: ("scan_id_reused",)}}

    def get_renderers(self) -> list[Any]:
        """A log is a file too, a scan is not."""
        return [JSONRenderer(), *([AttendeeCSVRenderer()] if self.request.method == "GET" else [])]

    def get(self, request: Request, pk: int) -> HttpResponseBase:
        keeper = self.keeper()
        listing = scan_log.scans(parameters.read(request, ScanParameters), keeper=keeper)
        if request.accepted_media_type == AttendeeCSVRenderer.media_type:
            if keeper.role == roles.Role.DOOR:
                raise NotYourEvent
            rows = map(scan_log.file_members, scan_log.scan_file(listing).stream(listing.values))
            return streamed(as_csv(rows, scan_log.FILE), name=f"event-{pk}-scans.csv")
        return self.get_paginated_response([scan_log.log_members(row) for row in self.page_of(listing)])

    def post(self, request: Request, pk: int) -> HttpResponse:
        dry_run = is_dry_run(request)
        scan = shapes.presented(self.given(shapes.GivenScanSerializer))
        row, is_new = door.admit(caller=caller_of(request), event_id=pk, scan=scan, now=timezone.now(), dry_run=dry_run)
        wrote = is_new and not dry_run
        if wrote:
            metrics.count(row)
        return JSONResponse(door.scan_members(row), status.HTTP_201_CREATED if wrote else status.HTTP_200_OK)


def is_dry_run(request: Request) -> bool:
    """A parameter beside a body is named as one."""
    try:
        return bool(parameters.read(request, DryRunParameters).get("dry_run"))
    except ValidationError:
        raise InvalidParameter("dry_run", "Either true or false, once.", code="invalid") from None


@documentation.batch
class ScanBatchView(DoorView):
    serializer_class = shapes.BatchSerializer

    def post(self, request: Request, pk: int) -> HttpResponse:
        given, now = self.given(shapes.GivenBatchSerializer), timezone.now()
        scans = [shapes.presented(values) for values in given["scans"]]
        answers = door.merge(
            caller=caller_of(request), event_id=pk, scans=scans, device_time=given["device_time"], now=now
        )
        metrics.count_new(answers)
        results = [result_members(scan.id, answer) for scan, answer in zip(scans, answers, strict=True)]
        return JSONResponse({"server_time": now, "results": results, "conflicts": door.conflicts_of(answers)})


def result_members(scan_id: UUID, answer: door.Answer) -> dict[str, Any]:
    if isinstance(answer, door.ScanIdReused):
        return {"id": scan_id, "scan": None, "error": answer.code}
    return {"id": scan_id, "scan": door.scan_members(answer[0]), "error": None}


@documentation.scan
class ScanDetailView(DoorView):
    refusals = {"DELETE": {409: ("too_late_to_undo",)}}

    def delete(self, request: Request, pk: int, scan: UUID) -> HttpResponse:
        door.undo(caller=caller_of(request), event_id=pk, scan_id=scan, now=timezone.now())
        return EmptyResponse()


@documentation.roster
class RosterView(DoorView):
    serializer_class = shapes.SeatSerializer
    parameters_class = RosterParameters
    pagination_class = RosterPagination
    refusals = {"GET": {410: ("resync",)}}

    def get(self, request: Request, pk: int) -> HttpResponse:
        self.keeper()
        listing, since = roster.roster(parameters.read(request, RosterParameters), event_id=pk)
        seats = [roster.roster_members(row) for row in self.page_of(listing)]
        paginator: Any = self.paginator
        links = {"next": paginator.next, "previous": paginator.previous}
        return JSONResponse({**links, "since": since, "server_time": timezone.now(), "results": seats})


@documentation.search
class SearchView(DoorView):
    serializer_class = shapes.HitsSerializer
    parameters_class = SearchParameters

    def get(self, request: Request, pk: int) -> HttpResponse:
        self.keeper()
        asked = parameters.read(request, SearchParameters)
        if "q" not in asked:
            raise InvalidParameter("q", "Say what to look for.", code="required")
        return JSONResponse({"results": roster.search(asked["q"], event_id=pk)})
