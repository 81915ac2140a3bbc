"""Who comes to the door: whoever has a token, a key with the scope `checkin`, or a door pass of the event."""

from typing import TYPE_CHECKING, Any

from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from jointoit.accounts.authentication import TokenAuthentication, caller_of
from jointoit.accounts.callers import DoorKeeper
from jointoit.events import door_passes, roles
from jointoit.events.refusals import NotYourEvent

if TYPE_CHECKING:
    from rest_framework.views import APIView


class DoorAuthentication(TokenAuthentication):
    """Lets a door pass in besides; everywhere else it is no token at all."""

    def identify(self, request: Request, token: str) -> Any:
        if not token.startswith(f"{door_passes.PREFIX}_"):
            return super().identify(request, token)
        found = door_passes.authenticate(token, now=timezone.now())
        return DoorKeeper(found.pk, found.event_id), found


class DoorScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = DoorAuthentication
    name = "doorPass"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        description = "A pass of `POST /events/{id}/door-passes/`, good for the door of its event alone."
        return {"type": "http", "scheme": "bearer", "description": description}

    def get_security_requirement(self, auto_schema: object) -> list[dict[str, list[str]]]:
        return [{"accessToken": []}, {"doorPass": []}]


class IsAtDoor(BasePermission):
    """Whoever lets people in, or manages the event."""

    message = NotYourEvent.message

    def has_object_permission(self, request: Request, view: "APIView", obj: Any) -> bool:
        return roles.at_door(caller_of(request), obj) is not None
