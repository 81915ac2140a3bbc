"""Each view says whose object, which verb, which shape."""

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from rest_framework import status
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request

from jointoit.accounts import export
from jointoit.accounts.authentication import caller_of, sender
from jointoit.api.http.idempotency import idempotent
from jointoit.api.http.rendering import EmptyResponse, JSONRenderer, JSONResponse
from jointoit.api.lists import parameters
from jointoit.api.lists.views import PagedView
from jointoit.events import event_queries, questions, roles
from jointoit.events.models import Event, Registration
from jointoit.events.permissions import IsManager
from jointoit.events.serializers import RegistrationSerializer, registration_members, row_of
from jointoit.events.views import AttendeeListView
from jointoit.mail import links
from jointoit.organizing import (
    announcements,
    documentation,
    duplication,
    guests,
    queries,
    resending,
    statistics,
    steps,
    transfers,
)
from jointoit.organizing.serializers import (
    AnnouncementSerializer,
    DryRunParameters,
    DuplicateSerializer,
    ExportSerializer,
    GuestSerializer,
    NewAnnouncementSerializer,
    QuestionSerializer,
    StatisticsParameters,
    StepsSerializer,
    TransferAnswerSerializer,
    TransferSerializer,
    question_members,
)


class ToolView(PagedView):
    """For whoever manages the event in the path."""

    permission_classes = [IsAuthenticated, IsManager]
    serializer_class: Any = None

    def get_object(self) -> Event:
        """The event, if the caller may see it (404) and manages it (403)."""
        event = event_queries.visible_event(self.kwargs["pk"], caller=caller_of(self.request))
        self.check_object_permissions(self.request, event)
        return event

    def values(self, shape: Any, **kwargs: Any) -> dict[str, Any]:
        given = shape(data=self.request.data, **kwargs)
        given.is_valid(raise_exception=True)
        found: dict[str, Any] = given.validated_data
        return found


# ── Questions ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@documentation.question_list
class QuestionListView(ToolView):
    serializer_class = QuestionSerializer
    scopes = {"GET": "events:read", "POST": "events:write"}
    refusals = {"POST": {400: ("needs_options",), 409: ("too_many_questions",)}}

    def get_permissions(self) -> Any:
        return [AllowAny()] if self.request.method in ("GET", "HEAD") else super().get_permissions()

    def get(self, request: Request, pk: int) -> HttpResponse:
        event = self.get_object()
        manages = roles.manager(caller_of(request), event) is not None
        page = self.page_of(queries.questions(event=event.pk, archived=manages))
        return self.get_paginated_response(page)

    @idempotent
    def post(self, request: Request, pk: int) -> HttpResponse:
        self.get_object()
        fields = self.values(QuestionSerializer)
        asked = questions.add(caller=caller_of(request), event_id=pk, fields=fields, now=timezone.now())
        return JSONResponse(question_members(asked), status.HTTP_201_CREATED)


@documentation.question_detail
class QuestionDetailView(ToolView):
    serializer_class = QuestionSerializer
    scopes = {"PATCH": "events:write", "DELETE": "events:write"}
    refusals = {
        "PATCH": {400: ("needs_options",), 409: ("question_has_answers", "too_many_questions")},
        "DELETE": {409: ("question_has_answers",)},
    }

    def patch(self, request: Request, pk: int, question: int) -> HttpResponse:
        self.get_object()
        fields = self.values(QuestionSerializer, partial=True, context={"id": question})
        changed = questions.change(
            caller=caller_of(request), event_id=pk, question_id=question, fields=fields, now=timezone.now()
        )
        return JSONResponse(question_members(changed))

    def delete(self, request: Request, pk: int, question: int) -> HttpResponse:
        self.get_object()
        questions.remove(caller=caller_of(request), event_id=pk, question_id=question, now=timezone.now())
        return EmptyResponse()


# ── News ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@documentation.announcement_list
class AnnouncementListView(ToolView):
    serializer_class = AnnouncementSerializer
    further_parameters = (DryRunParameters,)
    scopes = {"GET": "attendees:read", "POST": "registrations:write"}
    refusals = {"POST": {429: ("throttled",)}}

    def get(self, request: Request, pk: int) -> HttpResponse:
        page = self.page_of(queries.announcements(event=self.get_object().pk))
        progress = announcements.progress([row["id"] for row in page])
        return self.get_paginated_response([{**row, **progress[row["id"]]} for row in page])

    @idempotent
    def post(self, request: Request, pk: int) -> HttpResponse:
        event = self.get_object()
        asked = parameters.read(request, DryRunParameters)
        given = {"to": ["confirmed"], **self.values(NewAnnouncementSerializer)}
        if asked.get("dry_run"):
            promised = {"id": None, "recipients": announcements.recipients(event, given["to"]).count()}
        else:
            made = announcements.announce(caller=caller_of(request), event_id=pk, now=timezone.now(), **given)
            promised = {"id": made.pk, "recipients": made.recipients}
        return JSONResponse(promised, status.HTTP_202_ACCEPTED)


# ── Events and people ─────────────────────────────────────────────────────────────────────────────────────────────────


@documentation.duplicate
class DuplicateView(ToolView):
    scopes = {"POST": "events:write"}
    refusals = {"POST": {400: ("in_the_past",)}}

    @idempotent
    def post(self, request: Request, pk: int) -> HttpResponse:
        self.get_object()
        given = self.values(DuplicateSerializer)
        made = duplication.duplicate(caller=caller_of(request), event_id=pk, now=timezone.now(), **given)
        address = {"Location": made.get_absolute_url()}
        return JSONResponse(
            event_queries.detail(made.pk, caller=caller_of(request)), status.HTTP_201_CREATED, headers=address
        )


class RegistrationsView(AttendeeListView):
    """The list of who comes, to which a person is added."""

    scopes = {"GET": "attendees:read", "POST": "registrations:write"}
    throttle_scope = {"POST": "invite"}
    refusals = {
        "POST": {
            400: ("link_in_name",),
            409: ("already_registered", "event_cancelled", "event_full", "event_over"),
        }
    }

    def get_renderers(self) -> Any:
        return [JSONRenderer()] if self.request.method == "POST" else super().get_renderers()

    @documentation.guest
    @idempotent
    def post(self, request: Request, pk: int) -> HttpResponse:
        self.get_object()
        given = GuestSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        values = dict(given.validated_data)
        answered = values.pop("answers", None)
        added = guests.add(caller=caller_of(request), event_id=pk, answered=answered, now=timezone.now(), **values)
        headers = {"Location": added.get_absolute_url()}
        return JSONResponse(added_members(added, values), status.HTTP_201_CREATED, headers=headers)


def added_members(added: Registration, given: dict[str, Any]) -> dict[str, Any]:
    """Names as they were given: those of an account that was there already are its owner's affair."""
    return {
        "id": added.pk,
        "attendee": {name: given.get(name, "") for name in ("email", "first_name", "last_name")},
        "status": added.status,
        "position": added.position,
        "answers": added.answers,
        "registered_at": added.registered_at,
    }


@documentation.steps
class StepsView(ToolView):
    scopes = {"POST": "registrations:write"}

    def post(self, request: Request, pk: int) -> HttpResponse:
        self.get_object()
        given = self.values(StepsSerializer)
        outcomes = steps.take(caller=caller_of(request), event_id=pk, now=timezone.now(), **given)
        return JSONResponse({"results": outcomes})


@documentation.statistics
class StatisticsView(ToolView):
    parameters_class = StatisticsParameters
    scopes = {"GET": "attendees:read"}
    refusals = {"GET": {400: ("invalid",)}}

    def get(self, request: Request, pk: int) -> HttpResponse:
        event = self.get_object()
        asked = parameters.read(request, StatisticsParameters)
        zone = asked.get("timezone", event.timezone)
        found = statistics.figures(event, bucket=asked.get("bucket", "day"), timezone=zone, now=timezone.now())
        return JSONResponse(found)


# ── One registration ──────────────────────────────────────────────────────────────────────────────────────────────────


@documentation.mail
class MailAgainView(ToolView):
    permission_classes = [IsAuthenticated]
    scopes = {"POST": "registrations:write"}
    refusals = {"POST": {409: ("impossible_step",), 429: ("throttled",)}}

    def post(self, request: Request, pk: int) -> HttpResponse:
        resending.send_again(caller=caller_of(request), registration_id=pk, now=timezone.now())
        return JSONResponse({}, status.HTTP_202_ACCEPTED)


@documentation.transfer
class TransferView(ToolView):
    permission_classes = [IsAuthenticated]
    scopes = {"POST": "registrations:write", "DELETE": "registrations:write"}
    refusals = {
        "POST": {409: ("already_admitted", "no_ticket", "transfer_open", "transfer_to_yourself", "transfers_closed")}
    }

    @property
    def throttle_scope(self) -> str | None:
        return "invite" if self.request.method == "POST" else None

    def post(self, request: Request, pk: int) -> HttpResponse:
        offered = transfers.offer(
            caller=caller_of(request), registration_id=pk, now=timezone.now(), **self.values(TransferSerializer)
        )
        shown = {"id": offered.pk, "email": offered.email, "created_at": offered.created_at}
        return JSONResponse(shown, status.HTTP_201_CREATED)

    def delete(self, request: Request, pk: int) -> HttpResponse:
        transfers.withdraw(caller=caller_of(request), registration_id=pk, now=timezone.now())
        return EmptyResponse()


@documentation.accept
class TransferAcceptView(ToolView):
    permission_classes = [IsAuthenticated]
    serializer_class = RegistrationSerializer
    refusals = {
        "POST": {
            400: ("invalid_token",),
            403: ("other_address",),
            409: ("already_admitted", "already_registered", "no_ticket", "transfers_closed"),
        }
    }

    def post(self, request: Request) -> HttpResponse:
        transfer_id = links.transfer_of(self.values(TransferAnswerSerializer)["token"])
        user = sender(request)
        received = transfers.accept(user=user, transfer_id=transfer_id, now=timezone.now())
        headers = {"Location": received.get_absolute_url()}
        document = registration_members(row_of(received, reader=user.pk))
        return JSONResponse(document, status.HTTP_201_CREATED, headers=headers)


@documentation.decline
class TransferDeclineView(ToolView):
    permission_classes = [IsAuthenticated]
    refusals = {"POST": {400: ("invalid_token",), 403: ("other_address",)}}

    def post(self, request: Request) -> HttpResponse:
        transfer_id = links.transfer_of(self.values(TransferAnswerSerializer)["token"])
        transfers.decline(user=sender(request), transfer_id=transfer_id, now=timezone.now())
        return EmptyResponse()


# ── Oneself ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@documentation.export
class ExportView(ToolView):
    permission_classes = [IsAuthenticated]
    throttle_scope = "login"
    refusals = {"POST": {400: ("wrong_password", "invalid_token")}}

    def post(self, request: Request) -> HttpResponse:
        confirmed = self.values(ExportSerializer)
        document = export.export(user=sender(request), now=timezone.now(), **confirmed)
        name = {"Content-Disposition": 'attachment; filename="personal-data.json"'}
        return JSONResponse(document, headers=name)
