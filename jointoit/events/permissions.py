"""Who may do what once they see it; each permission asks, the model knows."""

from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from jointoit.events.models import Event

if TYPE_CHECKING:
    from rest_framework.views import APIView


class IsOrganizer(BasePermission):
    """Only the event's organizer; others who see the event get 403."""

    message = "Only the organizer of this event may do this."

    def has_object_permission(self, request: Request, view: "APIView", obj: Event) -> bool:
        return obj.is_managed_by(request.user)


class IsOrganizerOrReadOnly(IsOrganizer):
    """Anybody reads, signed-in users create, the organizer changes."""

    anybody_reads = True  # for the OpenAPI document

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return request.method in SAFE_METHODS or request.user.is_authenticated

    def has_object_permission(self, request: Request, view: "APIView", obj: Event) -> bool:
        return request.method in SAFE_METHODS or super().has_object_permission(request, view, obj)
