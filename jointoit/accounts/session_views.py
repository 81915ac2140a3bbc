"""Where one is logged in, and ending that: for whoever logs in, never for a key."""

from typing import Any, Final
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request

from jointoit.accounts import account_closing, tokens
from jointoit.accounts.authentication import sender
from jointoit.accounts.documentation import empty
from jointoit.api.fields import DateTimeField
from jointoit.api.http.rendering import EmptyResponse
from jointoit.api.lists.pagination import Key, Listing, ListQuery
from jointoit.api.lists.views import PagedView
from jointoit.api.openapi.components import gives

#: The one living row of each family; log-ins from before `began_at` was kept began when that row was made, or earlier.
SESSIONS: Final = ListQuery(
    "token.family::text AS id, coalesce(token.began_at, token.expires_at - %(lifetime)s::interval) AS began_at, "
    "coalesce(token.issued_at, token.expires_at - %(lifetime)s::interval) AS last_used_at, "
    "token.expires_at, token.device",
    "accounts_refreshtoken AS token",
    ("token.user_id = %(user)s", "token.used_at IS NULL", "token.expires_at > %(now)s"),
    (
        Key(
            "began_at",
            "coalesce(token.began_at, token.expires_at - %(lifetime)s::interval)",
            "timestamptz",
            descending=True,
        ),
        Key("id", "token.family::text", "text"),
    ),
)
SESSION = {
    "id": "0f8fad5b-d9cb-469f-a165-70867728950e",
    "began_at": "2030-01-05T09:30:00Z",
    "last_used_at": "2030-01-07T18:00:00Z",
    "expires_at": "2030-02-06T18:00:00Z",
    "device": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
}


class SessionSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="The claim `family` of its refresh tokens.")
    began_at = DateTimeField(help_text="When somebody logged in.")
    last_used_at = DateTimeField(help_text="When its refresh token was exchanged last.")
    expires_at = DateTimeField(help_text="When it ends unless it is used; 180 days after the log-in at the latest.")
    device = serializers.CharField(help_text="What the program called itself when it logged in (User-Agent).")


@extend_schema_view(
    get=extend_schema(
        summary="List your log-ins",
        description="Each place where you are logged in, the newest first; keys for programs have a list of their own.",
        responses=SessionSerializer(many=True),
        examples=[gives(SESSION)],
        operation_id="session_list",
    ),
    delete=extend_schema(
        summary="Log out everywhere",
        description="Every access and refresh token given out so far ends at once, this one too. Keys go on.",
        request=OpenApiTypes.NONE,
        responses={204: empty("You are logged out everywhere.")},
        operation_id="session_destroy_all",
    ),
)
class SessionListView(PagedView):
    permission_classes = [IsAuthenticated]
    serializer_class = SessionSerializer

    def get(self, request: Request) -> HttpResponse:
        values = {"user": sender(request).pk, "now": timezone.now(), "lifetime": tokens.lifetime()}
        return self.get_paginated_response(self.page_of(Listing(SESSIONS, values)))

    def delete(self, request: Request) -> HttpResponse:
        account_closing.end_access(user_ids=[sender(request).pk], keys=False)
        return EmptyResponse()


@extend_schema_view(
    delete=extend_schema(
        summary="End a log-in",
        description="Its refresh tokens end at once, its access tokens when they run out, within 15 minutes.",
        request=OpenApiTypes.NONE,
        responses={204: empty("The log-in is ended.")},
        operation_id="session_destroy",
    )
)
class SessionDetailView(PagedView):
    permission_classes = [IsAuthenticated]
    serializer_class = SessionSerializer

    def delete(self, request: Request, family: UUID) -> HttpResponse:
        tokens.end_session(user=sender(request), family=family)
        return EmptyResponse()
