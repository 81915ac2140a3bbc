"""Each view says whose object, which verb, which shape."""

from dataclasses import replace
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework import status
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request

from jointoit.accounts import tokens
from jointoit.accounts.authentication import caller_of, sender
from jointoit.accounts.models import ApiKey, User
from jointoit.api.http.conditional import Conditional
from jointoit.api.http.idempotency import idempotent
from jointoit.api.http.rendering import EmptyResponse, JSONRenderer, JSONResponse
from jointoit.api.lists import parameters
from jointoit.api.lists.views import PagedView
from jointoit.events import booking, documentation, event_queries, notifications, registration_queries, scheduling
from jointoit.events.attendees import AttendeeCSVRenderer, streamed
from jointoit.events.models import Event
from jointoit.events.parameters import (
    AttendeeParameters,
    EventParameters,
    HistoryParameters,
    RegistrationHistoryParameters,
    RegistrationParameters,
)
from jointoit.events.permissions import IsManager, IsManagerOrReadOnly
from jointoit.events.serializers import (
    AttendedRegistrationSerializer,
    EventSerializer,
    FactSerializer,
    NewEventSerializer,
    NewRegistrationSerializer,
    ReasonSerializer,
    RegistrationSerializer,
    RegistrationStepSerializer,
    mail_members,
    registration_members,
    row_of,
)
from jointoit.journal.reader import history, members
from jointoit.journal.writer import Actor
from jointoit.mail import outbox
from jointoit.mail.calendar import event_calendar

#: For the document: codes by status.
WRONG_TIMES = ("in_the_past", "ends_before_start", "closes_before_opening")
REFUSED_CHANGES = {
    400: WRONG_TIMES,
    409: (
        "event_cancelled",
        "event_over",
        "event_started",
        "event_impossible_step",
        "capacity_below_confirmed",
        "event_hidden",
    ),
}
REFUSED_STEPS = {
    403: ("not_yours_to_decide",),
    409: ("impossible_step", "event_over", "event_full", "event_started", "too_late_to_cancel"),
}


def reader_of(request: Request) -> int:
    """Who asks for the list of all events: 0 is nobody. A key for some events alone sees what anybody sees."""
    caller = caller_of(request)
    return 0 if caller.is_for_some_events else request.user.pk or 0


class EventView(PagedView, Conditional):
    """Starts from what the caller may see; what is hidden does not exist."""

    permission_classes = [IsManagerOrReadOnly]
    serializer_class: Any = EventSerializer

    def get_object(self) -> Event:
        """The event, if the caller may see it (404) and do with it what the method says (403)."""
        event = event_queries.visible_event(self.kwargs["pk"], caller=caller_of(self.request))
        self.check_object_permissions(self.request, event)
        return event

    def represent(self, obj: Event) -> Any:
        return event_queries.detail(obj.pk, caller=caller_of(self.request))


@documentation.event_list
class EventListView(EventView):
    scopes = {"GET": "events:read", "POST": "events:write"}
    refusals = {"POST": {400: WRONG_TIMES, 409: ("too_many_events",)}}
    parameters_class = EventParameters

    def get(self, request: Request) -> HttpResponse:
        asked, reader = parameters.read(request, EventParameters), reader_of(request)
        now, may_lag = timezone.now(), not request.user.is_authenticated
        page = self.page_of(event_queries.event_list(asked, reader=reader, now=now, may_lag=may_lag))
        if not page and self.may_have_mistyped(asked):
            # The links say so, and every page of them agrees.
            listing = event_queries.event_list({**asked, "typos": True}, reader=reader, now=now, may_lag=may_lag)
            page = self.page_of(replace(listing, in_links={"typos": "true"}))
        return self.get_paginated_response(page)

    def may_have_mistyped(self, asked: dict[str, Any]) -> bool:
        """Whether nobody has the words that were searched; a page that a link led to is what it is."""
        return "search" in asked and "typos" not in asked and "cursor" not in self.request.query_params

    @idempotent
    def post(self, request: Request) -> HttpResponse:
        given = NewEventSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        event = scheduling.create(
            organizer=sender(request), caller=caller_of(request), now=timezone.now(), fields=given.validated_data
        )
        address = {"Location": event.get_absolute_url()}
        document = event_queries.detail(event.pk, caller=caller_of(request))
        return JSONResponse(document, status.HTTP_201_CREATED, headers=address)


@documentation.event_detail
class EventDetailView(EventView):
    scopes = {"GET": "events:read", **dict.fromkeys(("PUT", "PATCH", "DELETE"), "events:write")}
    refusals = {"PUT": REFUSED_CHANGES, "PATCH": REFUSED_CHANGES}

    def get(self, request: Request, pk: int) -> HttpResponse:
        return JSONResponse(event_queries.visible_detail(pk, caller=caller_of(request)))

    def put(self, request: Request, pk: int, *, partial: bool = False) -> HttpResponse:
        event = self.get_object()
        given = self.get_serializer(event, data=request.data, partial=partial)
        given.is_valid(raise_exception=True)
        scheduling.change(
            event_id=pk,
            caller=caller_of(request),
            fields=given.validated_data,
            now=timezone.now(),
            precondition=self.precondition,
        )
        return JSONResponse(event_queries.detail(pk, caller=caller_of(request)))

    def patch(self, request: Request, pk: int) -> HttpResponse:
        return self.put(request, pk, partial=True)

    def delete(self, request: Request, pk: int) -> HttpResponse:
        self.get_object()
        scheduling.delete(event_id=pk, caller=caller_of(request), now=timezone.now(), precondition=self.precondition)
        return EmptyResponse()


@documentation.publish
class PublishView(EventView):
    changes_by_post = True
    scopes = {"POST": "events:write"}
    refusals = {"POST": {409: ("event_cancelled", "event_hidden", "event_started")}}

    def post(self, request: Request, pk: int) -> HttpResponse:
        self.get_object()
        scheduling.publish(event_id=pk, caller=caller_of(request), now=timezone.now(), precondition=self.precondition)
        return JSONResponse(event_queries.detail(pk, caller=caller_of(request)))


@documentation.cancel
class CancelView(EventView):
    changes_by_post = True
    scopes = {"POST": "events:write"}
    refusals = {"POST": {409: ("event_over", "event_hidden", "event_impossible_step")}}

    def post(self, request: Request, pk: int) -> HttpResponse:
        self.get_object()
        given = ReasonSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        scheduling.cancel(
            event_id=pk,
            caller=caller_of(request),
            now=timezone.now(),
            precondition=self.precondition,
            **given.validated_data,
        )
        return JSONResponse(event_queries.detail(pk, caller=caller_of(request)))


class CalendarRenderer(JSONRenderer):
    """Lets `Accept: text/calendar` choose the file; the view writes it itself."""

    media_type = "text/calendar"
    format = "ics"


@documentation.calendar
class CalendarView(EventView):
    renderer_classes = [CalendarRenderer]
    scopes = {"GET": "events:read"}
    permission_classes = [AllowAny]

    def get(self, request: Request, pk: int) -> HttpResponse:
        event = self.get_object()
        cancelled = event.status == Event.Status.CANCELLED
        feed = event_calendar(notifications.event_payload(event), cancelled=cancelled, now=event.updated_at)
        name = {"Content-Disposition": f'attachment; filename="event-{pk}.ics"'}
        return HttpResponse(feed, content_type="text/calendar; charset=utf-8", headers=name)


class RegistrationView(PagedView, Conditional):
    permission_classes = [IsAuthenticated]
    serializer_class: Any = RegistrationSerializer

    def members(self, registration_id: int) -> dict[str, Any]:
        """The registration as the caller sees it. Raises NotFound."""
        return registration_members(self.row(registration_id))

    def row(self, registration_id: int) -> Any:
        return registration_queries.visible_detail(registration_id, caller=caller_of(self.request))

    def represent(self, obj: Any) -> Any:
        return self.members(obj.pk)


@documentation.register
class RegisterView(RegistrationView):
    scopes = {"POST": "registrations:write"}
    defers_account_check = True
    throttle_scope = "register"
    refusals = {
        "POST": {
            409: (
                "already_registered",
                "event_full",
                "event_cancelled",
                "event_over",
                "event_started",
                "registration_not_open",
                "registration_closed",
                "questions_changed",
            ),
            403: ("email_not_verified",),
        }
    }

    def confirm_account(self) -> None:
        """What `register` does by itself. Raises DeadToken."""
        user = sender(self.request)
        tokens.load_account(pk=user.pk, token_epoch=user.token_epoch)

    @idempotent
    def post(self, request: Request, pk: int) -> HttpResponse:
        caller = caller_of(request)
        given = NewRegistrationSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        registration = booking.register(
            event_id=pk,
            attendee=sender(request),
            key=caller.key,
            now=timezone.now(),
            answered=given.validated_data.get("answers"),
        )
        document = registration_members(row_of(registration, reader=reader_of(request)))
        return JSONResponse(document, status.HTTP_201_CREATED, headers={"Location": registration.get_absolute_url()})


@documentation.registration_list
class RegistrationListView(RegistrationView):
    scopes = {"GET": "attendees:read"}
    parameters_class = RegistrationParameters

    def get(self, request: Request) -> HttpResponse:
        asked = parameters.read(request, RegistrationParameters)
        listing = registration_queries.own_list(asked, caller=caller_of(request), now=timezone.now())
        return self.get_paginated_response([registration_members(row) for row in self.page_of(listing)])


@documentation.registration_detail
class RegistrationDetailView(RegistrationView):
    scopes = {"GET": "attendees:read", **dict.fromkeys(("PUT", "PATCH", "DELETE"), "registrations:write")}
    refusals = {
        "PUT": REFUSED_STEPS,
        "PATCH": REFUSED_STEPS,
        "DELETE": {403: ("not_yours_to_decide",), 409: ("event_over",)},
    }

    def get(self, request: Request, pk: int) -> HttpResponse:
        return JSONResponse(self.members(pk))

    def put(self, request: Request, pk: int, *, partial: bool = False) -> HttpResponse:
        given = RegistrationStepSerializer(data=request.data, partial=partial, context={"registration": self.row(pk)})
        given.is_valid(raise_exception=True)
        booking.set_status(
            registration_id=pk,
            caller=caller_of(request),
            status=given.validated_data.get("status"),
            now=timezone.now(),
            precondition=self.precondition,
            answered=given.validated_data.get("answers"),
            reason=given.validated_data.get("reason", ""),
        )
        return JSONResponse(self.members(pk))

    def patch(self, request: Request, pk: int) -> HttpResponse:
        return self.put(request, pk, partial=True)

    def delete(self, request: Request, pk: int) -> HttpResponse:
        booking.remove(
            registration_id=pk, caller=caller_of(request), now=timezone.now(), precondition=self.precondition
        )
        return EmptyResponse()


@documentation.attendee_list
class AttendeeListView(EventView):
    """Who comes, for the organizer; the order is that of asking."""

    permission_classes = [IsAuthenticated, IsManager]
    serializer_class = AttendedRegistrationSerializer
    parameters_class = AttendeeParameters
    renderer_classes = [JSONRenderer, AttendeeCSVRenderer]
    scopes = {"GET": "attendees:read"}

    def get(self, request: Request, pk: int) -> HttpResponseBase:
        event = self.get_object()
        asked = parameters.read(request, AttendeeParameters)
        listing = registration_queries.attendee_list(asked, event=pk)
        if request.accepted_media_type == AttendeeCSVRenderer.media_type:
            lines = registration_queries.attendee_lines(listing, event)
            return streamed(lines, name=f"event-{pk}-registrations.csv")
        page = self.page_of(listing)
        mails = outbox.latest(f"registration:{row['id']}" for row in page)
        return self.get_paginated_response([
            registration_members(row) | {"mail": mail_members(mails.get(f"registration:{row['id']}"))} for row in page
        ])  # fmt: skip


# ── What happened ─────────────────────────────────────────────────────────────────────────────────────────────────────


@documentation.event_history
class EventHistoryView(EventView):
    permission_classes = [IsAuthenticated, IsManager]
    serializer_class = FactSerializer
    parameters_class = HistoryParameters
    scopes = {"GET": "attendees:read"}

    def get(self, request: Request, pk: int) -> HttpResponse:
        self.get_object()
        asked = parameters.read(request, HistoryParameters)
        page = self.page_of(history({**asked, "event": pk}))
        return self.get_paginated_response([members(row) for row in page])


@documentation.registration_history
class RegistrationHistoryView(RegistrationView):
    serializer_class = FactSerializer
    parameters_class = RegistrationHistoryParameters
    scopes = {"GET": "attendees:read"}

    def get(self, request: Request, pk: int) -> HttpResponse:
        row, user = self.row(pk), sender(request)
        asked = parameters.read(request, RegistrationHistoryParameters)
        page = self.page_of(history({**asked, "registration": pk}))
        own = None if row["attendee_private"] is not None else {Actor("attendee", user.pk), *keys_of(user)}
        return self.get_paginated_response([members(fact, own=own) for fact in page])


def keys_of(user: User) -> list[Actor]:
    return [Actor("key", pk) for pk in ApiKey.objects.filter(user=user).values_list("pk", flat=True)]
