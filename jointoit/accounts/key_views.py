"""Keys for programs: for whoever logs in, never for a key itself."""

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request

from jointoit.accounts import keys
from jointoit.accounts.authentication import sender
from jointoit.accounts.documentation import PASSWORD, empty
from jointoit.accounts.models import ApiKey
from jointoit.accounts.serializers import ConfirmedShape, PasswordField
from jointoit.api.fields import ChoiceField, DateTimeField, LineField, StrictIntegerField
from jointoit.api.http.rendering import EmptyResponse, JSONResponse
from jointoit.api.http.strictness import Shape
from jointoit.api.lists.pagination import Key, Listing, ListQuery
from jointoit.api.lists.prepared import Row
from jointoit.api.lists.views import PagedView
from jointoit.api.openapi.components import asks, gives

MAX_EVENTS = 100


class KeySerializer(Shape):
    id = serializers.IntegerField(read_only=True)
    prefix = serializers.CharField(read_only=True, help_text="How the key begins.")
    name = LineField(max_length=100)
    scopes = serializers.ListField(child=ChoiceField(choices=list(keys.SCOPES.items())), min_length=1)
    events = serializers.ListField(
        child=StrictIntegerField(min_value=1, max_value=2**63 - 1),
        min_length=1,
        max_length=MAX_EVENTS,
        allow_null=True,
        required=False,
        help_text="The ids of the events it is good for; null: all.",
    )
    created_at = DateTimeField(read_only=True)
    expires_at = DateTimeField(required=False, help_text="Within 366 days; 90 days unless given.")
    last_used_at = DateTimeField(read_only=True, allow_null=True, help_text="At most a minute old.")


class NewKeySerializer(ConfirmedShape, KeySerializer):
    password = PasswordField(required=False, help_text="Of your account; where it has none, `proof` in its place.")
    key = serializers.CharField(read_only=True, help_text="Shown this once.")


TEXT = "jtk_9_0Aa1Bb2Cc3Dd4Ee5Ff6Gg7Hh8Ii9Jj0KxYz12A"
ASKED = {"name": "Badge printer", "scopes": ["attendees:read"], "events": [7]}
KEY = ASKED | {
    "id": 9,
    "prefix": "jtk_9",
    "created_at": "2030-01-05T09:30:00Z",
    "expires_at": "2030-04-05T09:30:00Z",
    "last_used_at": None,
}
COLUMNS = ("id", "name", "scopes", "events", "created_at", "expires_at", "last_used_at")
KEYS = ListQuery(
    ", ".join(f"key.{name}" for name in COLUMNS),
    "accounts_apikey AS key",
    ("key.user_id = %(user)s", "key.revoked_at IS NULL", "key.expires_at > %(now)s"),
    (Key("id", "key.id", "bigint"),),
)


def members_of(key: ApiKey) -> dict[str, Any]:
    return members({name: getattr(key, name) for name in COLUMNS})


def members(row: Row) -> dict[str, Any]:
    return {"id": row["id"], "prefix": f"{keys.PREFIX}_{row['id']}", **row}


class KeyView(PagedView):
    permission_classes = [IsAuthenticated]
    serializer_class = KeySerializer


@extend_schema_view(
    get=extend_schema(
        summary="List your keys", responses=KeySerializer(many=True), examples=[gives(KEY)], operation_id="key_list"
    ),
    post=extend_schema(
        summary="Make a key for a program",
        description=(
            "Send it as `Authorization: Bearer`, as you would an access token. It acts as you, for the calls of its "
            "scopes alone; each call names the scope it needs. The key itself is shown this once."
        ),
        request=NewKeySerializer,
        responses={201: NewKeySerializer},
        examples=[asks(ASKED | {"password": PASSWORD}), gives(KEY | {"key": TEXT}, 201)],
    ),
)
class KeyListView(KeyView):
    refusals = {"POST": {400: ("wrong_password", "invalid_token", "out_of_range"), 409: ("too_many_keys",)}}

    #: Making one takes the password, which must not be guessed here either.
    throttle_scope = {"POST": "login"}

    def get(self, request: Request) -> HttpResponse:
        listing = Listing(KEYS, {"user": sender(request).pk, "now": timezone.now()})
        return self.get_paginated_response([members(row) for row in self.page_of(listing)])

    def post(self, request: Request) -> HttpResponse:
        given = NewKeySerializer(data=request.data)
        given.is_valid(raise_exception=True)
        key, text = keys.create(user=sender(request), now=timezone.now(), **given.validated_data)
        return JSONResponse(members_of(key) | {"key": text}, status.HTTP_201_CREATED)


@extend_schema_view(
    patch=extend_schema(
        summary="Narrow a key",
        description="A key gets another name, fewer scopes or events, or an earlier end; never more than it has.",
        request=KeySerializer(partial=True),
        responses=KeySerializer,
        examples=[asks({"name": "Printer at the door"}), gives(KEY | {"name": "Printer at the door"})],
    ),
    delete=extend_schema(
        summary="End a key", request=OpenApiTypes.NONE, responses={204: empty("Nothing is done with it any more.")}
    ),
)
class KeyDetailView(KeyView):
    refusals = {"PATCH": {400: ("cannot_widen",)}}

    def patch(self, request: Request, pk: int) -> HttpResponse:
        given = KeySerializer(data=request.data, partial=True, context={"id": pk})
        given.is_valid(raise_exception=True)
        key = keys.change(user=sender(request), key_id=pk, values=given.validated_data, now=timezone.now())
        return JSONResponse(members_of(key))

    def delete(self, request: Request, pk: int) -> HttpResponse:
        keys.revoke(user=sender(request), key_id=pk, now=timezone.now())
        return EmptyResponse()
