"""Each view says whose object, which verb, which shape: the team of an event, or of all events of somebody."""

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from rest_framework import status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request

from jointoit.accounts.authentication import caller_of, sender
from jointoit.api.http.idempotency import idempotent
from jointoit.api.http.rendering import EmptyResponse, JSONResponse
from jointoit.api.lists.pagination import Listing
from jointoit.api.lists.views import PagedView
from jointoit.events import door_passes, event_queries, team, team_queries
from jointoit.events import team_documentation as documentation
from jointoit.events.models import Event
from jointoit.events.permissions import IsManager
from jointoit.events.serializers import summary_columns, summary_members
from jointoit.events.team_serializers import (
    AcceptedSerializer,
    AnswerSerializer,
    DoorPassSerializer,
    HandoverSerializer,
    InvitationSerializer,
    InviteSerializer,
    MemberSerializer,
    NewDoorPassSerializer,
    RoleChangeSerializer,
    RoleSerializer,
)
from jointoit.mail import links


class TeamView(PagedView):
    """For whoever manages the event in the path, or for all events of whoever asks where there is none."""

    permission_classes = [IsAuthenticated, IsManager]

    def get_object(self) -> Event:
        """The event, if the caller may see it (404) and manages it (403)."""
        event = event_queries.visible_event(self.kwargs["pk"], caller=caller_of(self.request))
        self.check_object_permissions(self.request, event)
        return event

    def values(self, request: Request, shape: Any, **kwargs: Any) -> dict[str, Any]:
        given = shape(data=request.data, **kwargs)
        given.is_valid(raise_exception=True)
        found: dict[str, Any] = given.validated_data
        return found

    def members(self, listing: Listing, shape: Any) -> HttpResponse:
        return self.get_paginated_response([shape(row) for row in self.page_of(listing)])


# ── Who is in it ──────────────────────────────────────────────────────────────────────────────────────────────────────


@documentation.team_list
class TeamListView(TeamView):
    serializer_class = MemberSerializer

    def get(self, request: Request, pk: int) -> HttpResponse:
        event = self.get_object()
        return self.members(team_queries.team(owner=event.organizer_id, event=event.pk), team_queries.member_members)


@documentation.team_detail
class TeamDetailView(TeamView):
    serializer_class = MemberSerializer
    permission_classes = [IsAuthenticated]  # the verbs decide: whoever has a role may leave
    refusals = {
        "PATCH": {403: ("permission_denied", "not_your_team")},
        "DELETE": {403: ("permission_denied", "not_your_team")},
    }

    def patch(self, request: Request, pk: int, member: int) -> HttpResponse:
        role = self.values(request, RoleChangeSerializer, context={"id": member}).get("role")
        changed = team.change_role(
            caller=caller_of(request), event_id=pk, membership_id=member, role=role, now=timezone.now()
        )
        return JSONResponse(team_queries.member_of(changed))

    def delete(self, request: Request, pk: int, member: int) -> HttpResponse:
        team.remove(caller=caller_of(request), event_id=pk, membership_id=member, now=timezone.now())
        return EmptyResponse()


@documentation.my_team_list
class MyTeamListView(TeamView):
    permission_classes = [IsAuthenticated]
    serializer_class = MemberSerializer

    def get(self, request: Request) -> HttpResponse:
        return self.members(team_queries.helpers(owner=sender(request).pk), team_queries.member_members)


@documentation.my_team_detail
class MyTeamDetailView(TeamView):
    permission_classes = [IsAuthenticated]
    serializer_class = MemberSerializer

    def patch(self, request: Request, member: int) -> HttpResponse:
        role = self.values(request, RoleChangeSerializer, context={"id": member}).get("role")
        changed = team.change_role(
            caller=caller_of(request), event_id=None, membership_id=member, role=role, now=timezone.now()
        )
        return JSONResponse(team_queries.member_of(changed))

    def delete(self, request: Request, member: int) -> HttpResponse:
        team.remove(caller=caller_of(request), event_id=None, membership_id=member, now=timezone.now())
        return EmptyResponse()


@documentation.my_role_list
class MyRoleListView(TeamView):
    permission_classes = [IsAuthenticated]
    serializer_class = RoleSerializer

    def get(self, request: Request) -> HttpResponse:
        return self.members(team_queries.roles_of(member=sender(request).pk), team_queries.role_members)


@documentation.my_role_detail
class MyRoleDetailView(TeamView):
    permission_classes = [IsAuthenticated]

    def delete(self, request: Request, member: int) -> HttpResponse:
        team.leave(user=sender(request), membership_id=member, now=timezone.now())
        return EmptyResponse()


# ── Who is asked ──────────────────────────────────────────────────────────────────────────────────────────────────────

REFUSED_INVITATIONS = {403: ("permission_denied", "not_your_team"), 409: ("already_in_team", "invitation_open")}


@documentation.invitation_list
class InvitationListView(TeamView):
    serializer_class = InvitationSerializer
    refusals = {"POST": REFUSED_INVITATIONS}
    throttle_scope = {"POST": "invite"}

    def get(self, request: Request, pk: int) -> HttpResponse:
        event = self.get_object()
        listing = team_queries.invitations(owner=event.organizer_id, event=event.pk, now=timezone.now())
        return self.members(listing, team_queries.invitation_members)

    @idempotent
    def post(self, request: Request, pk: int) -> HttpResponse:
        self.get_object()
        offer = team.invite(
            caller=caller_of(request), event_id=pk, now=timezone.now(), **self.values(request, InviteSerializer)
        )
        return JSONResponse(team_queries.invitation_of(offer), status.HTTP_201_CREATED)


@documentation.invitation_detail
class InvitationDetailView(TeamView):
    refusals = {"DELETE": {403: ("permission_denied", "not_your_team")}}

    def delete(self, request: Request, pk: int, invitation: int) -> HttpResponse:
        self.get_object()
        team.withdraw(caller=caller_of(request), event_id=pk, invitation_id=invitation, now=timezone.now())
        return EmptyResponse()


@documentation.my_invitation_list
class MyInvitationListView(TeamView):
    permission_classes = [IsAuthenticated]
    serializer_class = InvitationSerializer
    refusals = {"POST": {409: ("already_in_team", "invitation_open")}}
    throttle_scope = {"POST": "invite"}

    def get(self, request: Request) -> HttpResponse:
        listing = team_queries.invitations(owner=sender(request).pk, event=None, now=timezone.now())
        return self.members(listing, team_queries.invitation_members)

    @idempotent
    def post(self, request: Request) -> HttpResponse:
        offer = team.invite(
            caller=caller_of(request), event_id=None, now=timezone.now(), **self.values(request, InviteSerializer)
        )
        return JSONResponse(team_queries.invitation_of(offer), status.HTTP_201_CREATED)


@documentation.my_invitation_detail
class MyInvitationDetailView(TeamView):
    permission_classes = [IsAuthenticated]

    def delete(self, request: Request, invitation: int) -> HttpResponse:
        team.withdraw(caller=caller_of(request), event_id=None, invitation_id=invitation, now=timezone.now())
        return EmptyResponse()


@documentation.handover
class HandoverView(TeamView):
    refusals = {
        "POST": {403: ("permission_denied", "not_your_team"), 409: ("handover_open", "owner_stays")},
        "DELETE": {403: ("permission_denied", "not_your_team")},
    }

    throttle_scope = {"POST": "invite"}

    def post(self, request: Request, pk: int) -> HttpResponse:
        self.get_object()
        offer = team.offer_handover(
            caller=caller_of(request), event_id=pk, now=timezone.now(), **self.values(request, HandoverSerializer)
        )
        return JSONResponse(team_queries.invitation_of(offer), status.HTTP_202_ACCEPTED)

    def delete(self, request: Request, pk: int) -> HttpResponse:
        self.get_object()
        team.withdraw(caller=caller_of(request), event_id=pk, invitation_id=None, now=timezone.now())
        return EmptyResponse()


# ── The answer ────────────────────────────────────────────────────────────────────────────────────────────────────────


@documentation.open_invitation_list
class OpenInvitationListView(TeamView):
    permission_classes = [IsAuthenticated]
    serializer_class = InvitationSerializer

    def get(self, request: Request) -> HttpResponse:
        user = sender(request)
        address = user.email if user.email_verified else "@"  # nobody has shown that the other one is theirs
        listing = team_queries.invitations(address=address, now=timezone.now())
        return self.members(listing, team_queries.invitation_members)


class AnswerView(TeamView):
    permission_classes = [IsAuthenticated]
    serializer_class = AcceptedSerializer

    def invitation_id(self, request: Request) -> int:
        given = self.values(request, AnswerSerializer)
        return int(given["id"]) if "id" in given else links.invitation_of(given["token"])


@documentation.accept
class AcceptView(AnswerView):
    refusals = {"POST": {400: ("invalid_token",), 403: ("other_address",), 409: ("owner_stays",)}}

    def post(self, request: Request) -> HttpResponse:
        accepted = team.accept(user=sender(request), invitation_id=self.invitation_id(request), now=timezone.now())
        return JSONResponse({"event": summary_members(summary_columns(accepted.event)), "role": accepted.role})


@documentation.decline
class DeclineView(AnswerView):
    refusals = {"POST": {400: ("invalid_token",), 403: ("other_address",)}}

    def post(self, request: Request) -> HttpResponse:
        team.decline(user=sender(request), invitation_id=self.invitation_id(request), now=timezone.now())
        return EmptyResponse()


# ── Passes for the door ───────────────────────────────────────────────────────────────────────────────────────────────


@documentation.door_pass_list
class DoorPassListView(TeamView):
    serializer_class = DoorPassSerializer
    refusals = {"POST": {400: ("out_of_range",), 409: ("too_many_passes",)}}

    def get(self, request: Request, pk: int) -> HttpResponse:
        listing = team_queries.door_passes(event=self.get_object().pk, now=timezone.now())
        return self.members(listing, dict)

    def post(self, request: Request, pk: int) -> HttpResponse:
        self.get_object()
        made, text = door_passes.create(
            caller=caller_of(request), event_id=pk, now=timezone.now(), **self.values(request, NewDoorPassSerializer)
        )
        shown = {"id": made.pk, "label": made.label, "created_at": made.created_at, "expires_at": made.expires_at}
        link = f"{settings.PUBLIC_URL}/door/enter/{text}/"
        return JSONResponse(shown | {"link": link, "key": text}, status.HTTP_201_CREATED)


@documentation.door_pass_detail
class DoorPassDetailView(TeamView):
    def delete(self, request: Request, pk: int, door_pass: int) -> HttpResponse:
        self.get_object()
        door_passes.revoke(caller=caller_of(request), event_id=pk, pass_id=door_pass, now=timezone.now())
        return EmptyResponse()
