"""Each view says whose object, which verb, which shape."""

from typing import Any, cast

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.functional import cached_property
from orjson import Fragment
from rest_framework import status
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jointoit.accounts.authentication import sender
from jointoit.api.http.conditional import Conditional
from jointoit.api.http.idempotency import idempotent
from jointoit.api.http.rendering import JSONRenderer, JSONResponse
from jointoit.api.lists.documents import written
from jointoit.api.lists.filtering import StrictFilterBackend
from jointoit.api.lists.pagination import names_of
from jointoit.api.lists.parameters import ChoiceField, Parameters
from jointoit.events import booking, documentation, reading, scheduling, telling
from jointoit.events.attendees import AttendeeCSVRenderer, as_csv
from jointoit.events.filters import AttendeeFilters, EventFilters, RegistrationFilters
from jointoit.events.models import Event, EventQuerySet, Registration, RegistrationQuerySet
from jointoit.events.permissions import IsOrganizer, IsOrganizerOrReadOnly
from jointoit.events.serializers import (
    AttendedRegistrationSerializer,
    EventSerializer,
    NewEventSerializer,
    RegistrationSerializer,
    RegistrationStepSerializer,
)
from jointoit.mail import outbox
from jointoit.mail.calendar import event_calendar

#: What `?ordering=` accepts, and the columns behind it.
EVENT_ORDERINGS = {
    "date": ("date", "id"),
    "-date": ("-date", "-id"),
    "created_at": ("created_at", "id"),
    "-created_at": ("-created_at", "-id"),
    "title": ("title_order", "id"),
    "-title": ("-title_order", "-id"),
}
ORDERING = ChoiceField(choices=list(EVENT_ORDERINGS))
BEST_FIRST = ("-rank", "date", "id")
#: For the document: codes by status.
WRONG_TIMES = ("in_the_past", "ends_before_start", "closes_before_opening")
REFUSED_CHANGES = {
    400: WRONG_TIMES,
    409: ("event_cancelled", "event_started", "event_impossible_step", "capacity_below_confirmed"),
}
REFUSED_STEPS = {403: ("not_yours_to_decide",), 409: ("impossible_step", "event_full")}


class EventView(Conditional):
    """Starts from what the caller may see; what is hidden does not exist."""

    permission_classes = [IsOrganizerOrReadOnly]
    serializer_class = EventSerializer

    def get_queryset(self) -> EventQuerySet:
        user = self.request.user
        return Event.objects.visible_to(user) if user.is_authenticated else reading.public_events()

    def shown(self, event_id: int) -> Fragment:
        """The event as clients see it, read back from the database."""
        return reading.document(Event.objects.filter(pk=event_id))

    def represent(self, obj: Event) -> Fragment:
        return self.shown(obj.pk)


@documentation.event_list
class EventListView(EventView):
    refusals = {"POST": {400: WRONG_TIMES}}
    filterset_class = EventFilters
    list_parameters = ("ordering",)

    def get(self, request: Request) -> HttpResponse:
        page = self.paginate_queryset(self.asked())
        if not page and self.may_forgive():
            return self.forgive()
        return self.get_paginated_response([written(row["document"]) for row in page or ()])

    def asked(self) -> Any:
        """The events of all pages: a queryset, or `Repeated` where others ask for the same."""
        if self.request.user.is_authenticated:
            events = cast(EventQuerySet, self.filter_queryset(self.get_queryset()))
            return reading.rows(events, *names_of(self.get_ordering()))
        filters: EventFilters | None = StrictFilterBackend().asked(self.request, reading.public_events(), self)
        return reading.public_list(filters, names_of(self.get_ordering()))

    def get_ordering(self) -> tuple[str, ...]:
        return self.chosen_ordering

    @cached_property
    def chosen_ordering(self) -> tuple[str, ...]:
        parameters = Parameters(self.request.query_params)
        chosen = parameters.read("ordering", ORDERING)
        parameters.check()
        if chosen is None and self.request.query_params.get("search"):
            return BEST_FIRST
        return EVENT_ORDERINGS[chosen or "date"]

    def may_forgive(self) -> bool:
        """Whether words that nobody has may have been mistyped; a page that a link led to is what it is."""
        given = self.request.query_params
        return bool(given.get("search")) and "typos" not in given and "cursor" not in given

    def forgive(self) -> HttpResponse:
        """Answer as if `typos=true` had been asked for; the links say so, and every page of them agrees."""
        given = self.request.query_params.copy()
        given["typos"] = "true"
        self.request._request.GET = given  # type: ignore[assignment]
        return self.get(self.request)

    @idempotent
    def post(self, request: Request) -> HttpResponse:
        given = NewEventSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        event = scheduling.create(organizer=sender(request), now=timezone.now(), fields=given.validated_data)
        return JSONResponse(
            self.shown(event.pk), status.HTTP_201_CREATED, headers={"Location": event.get_absolute_url()}
        )


@documentation.event_detail
class EventDetailView(EventView):
    refusals = {"PUT": REFUSED_CHANGES, "PATCH": REFUSED_CHANGES}

    def get(self, request: Request, pk: int) -> HttpResponse:
        if request.user.is_authenticated:
            return JSONResponse(reading.document(self.get_queryset().filter(pk=pk)))
        return JSONResponse(reading.public_document(pk))

    def put(self, request: Request, pk: int, *, partial: bool = False) -> HttpResponse:
        event = self.get_object()
        given = self.get_serializer(event, data=request.data, partial=partial)
        given.is_valid(raise_exception=True)
        scheduling.change(event_id=pk, fields=given.validated_data, now=timezone.now(), precondition=self.precondition)
        return JSONResponse(self.shown(pk))

    def patch(self, request: Request, pk: int) -> HttpResponse:
        return self.put(request, pk, partial=True)

    def delete(self, request: Request, pk: int) -> HttpResponse:
        self.get_object()
        scheduling.delete(event_id=pk, now=timezone.now(), precondition=self.precondition)
        return Response(status=status.HTTP_204_NO_CONTENT)


@documentation.publish
class PublishView(EventView):
    refusals = {"POST": {409: ("event_cancelled", "event_started")}}

    def post(self, request: Request, pk: int) -> HttpResponse:
        self.get_object()
        scheduling.publish(event_id=pk, now=timezone.now())
        return JSONResponse(self.shown(pk))


@documentation.cancel
class CancelView(EventView):
    refusals = {"POST": {409: ("event_impossible_step",)}}

    def post(self, request: Request, pk: int) -> HttpResponse:
        self.get_object()
        scheduling.cancel(event_id=pk, now=timezone.now())
        return JSONResponse(self.shown(pk))


@documentation.calendar
class CalendarView(APIView):
    permission_classes = [AllowAny]

    def get(self, request: Request, pk: int) -> HttpResponse:
        event = get_object_or_404(Event.objects.visible_to(request.user).select_related("organizer"), pk=pk)
        cancelled = event.status == Event.Status.CANCELLED
        feed = event_calendar(telling.event_facts(event), cancelled=cancelled, now=timezone.now())
        return HttpResponse(feed, content_type="text/calendar; charset=utf-8")


class RegistrationView(Conditional):
    permission_classes = [IsAuthenticated]
    serializer_class = RegistrationSerializer
    queryset = Registration.objects.none()  # names the model for the OpenAPI document

    def get_queryset(self) -> RegistrationQuerySet:
        return Registration.objects.visible_to(self.request.user).detailed()

    def shown(self, registration_id: int) -> Any:
        """The registration as the caller sees it, read back from the database."""
        return RegistrationSerializer.document(self.get_queryset().get(pk=registration_id), sender(self.request))

    def represent(self, obj: Registration) -> Any:
        return self.shown(obj.pk)


@documentation.register
class RegisterView(RegistrationView):
    verb_checks_account = True
    throttle_scope = "register"
    refusals = {
        "POST": {
            409: (
                "already_registered",
                "event_full",
                "event_cancelled",
                "event_started",
                "registration_not_open",
                "registration_closed",
            )
        }
    }

    @idempotent
    def post(self, request: Request, pk: int) -> HttpResponse:
        registration = booking.register(event_id=pk, attendee=sender(request), now=timezone.now())
        address = {"Location": registration.get_absolute_url()}
        document = RegistrationSerializer.document(registration, sender(request))
        return JSONResponse(document, status.HTTP_201_CREATED, headers=address)


@documentation.registration_list
class RegistrationListView(RegistrationView):
    filterset_class = RegistrationFilters

    def get_queryset(self) -> RegistrationQuerySet:
        return Registration.objects.filter(attendee=sender(self.request)).detailed()

    def get(self, request: Request) -> HttpResponse:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


@documentation.registration_detail
class RegistrationDetailView(RegistrationView):
    refusals = {"PUT": REFUSED_STEPS, "PATCH": REFUSED_STEPS, "DELETE": {403: ("not_yours_to_decide",)}}

    def get(self, request: Request, pk: int) -> HttpResponse:
        return JSONResponse(RegistrationSerializer.document(self.get_object(), sender(request)))

    def put(self, request: Request, pk: int, *, partial: bool = False) -> HttpResponse:
        given = RegistrationStepSerializer(self.get_object(), data=request.data, partial=partial)
        given.is_valid(raise_exception=True)
        booking.set_status(
            registration_id=pk,
            actor=sender(request),
            status=given.validated_data.get("status"),
            now=timezone.now(),
            precondition=self.precondition,
        )
        return JSONResponse(self.shown(pk))

    def patch(self, request: Request, pk: int) -> HttpResponse:
        return self.put(request, pk, partial=True)

    def delete(self, request: Request, pk: int) -> HttpResponse:
        booking.remove(registration_id=pk, actor=sender(request), now=timezone.now(), precondition=self.precondition)
        return Response(status=status.HTTP_204_NO_CONTENT)


@documentation.attendee_list
class AttendeeListView(RegistrationView):
    """Who comes, for the organizer; the order is that of asking."""

    permission_classes = [IsAuthenticated, IsOrganizer]
    serializer_class = AttendedRegistrationSerializer
    filterset_class = AttendeeFilters
    renderer_classes = [JSONRenderer, AttendeeCSVRenderer]

    def get_queryset(self) -> RegistrationQuerySet:
        event = get_object_or_404(Event.objects.visible_to(self.request.user), pk=self.kwargs["pk"])
        self.check_object_permissions(self.request, event)
        return event.registrations.select_related("event", "attendee").with_positions_in(event).order_by("id")

    def get(self, request: Request, pk: int) -> HttpResponseBase:
        registrations = cast(RegistrationQuerySet, self.filter_queryset(self.get_queryset()))
        if request.accepted_media_type == AttendeeCSVRenderer.media_type:
            return streamed(registrations, name=f"event-{pk}-registrations.csv")
        page = self.paginate_queryset(registrations) or []
        mails = outbox.standing(f"registration:{registration.pk}" for registration in page)
        shown = AttendedRegistrationSerializer(context={"request": request, "mails": mails})
        return self.get_paginated_response([shown.to_representation(registration) for registration in page])


def streamed(registrations: RegistrationQuerySet, *, name: str) -> StreamingHttpResponse:
    """Send the file while it is read."""
    response = StreamingHttpResponse(as_csv(registrations), content_type="text/csv; charset=utf-8; header=present")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
