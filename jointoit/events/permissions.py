"""Who may do what once they see it; each permission asks, the model knows."""

from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from jointoit.accounts.authentication import caller_of
from jointoit.events import roles
from jointoit.events.models import Event
from jointoit.events.refusals import NotYourEvent

if TYPE_CHECKING:
    from rest_framework.views import APIView


class IsManager(BasePermission):
    """Only who manages the event; others who see it get 403. The verbs look again once they hold the event."""

    message = NotYourEvent.message

    def has_object_permission(self, request: Request, view: "APIView", obj: Event) -> bool:
        return roles.manager(caller_of(request), obj) is not None


class IsManagerOrReadOnly(IsManager):
    """Anybody reads, signed-in users create, who manages the event changes it."""

    anybody_reads = True  # for the OpenAPI document

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return request.method in SAFE_METHODS or request.user.is_authenticated

    def has_object_permission(self, request: Request, view: "APIView", obj: Event) -> bool:
        return request.method in SAFE_METHODS or super().has_object_permission(request, view, obj)
