"""Webhooks, for people who log in and for keys with the scope `webhooks`: each sees their own."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from rest_framework import status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request

from jointoit.accounts.authentication import caller_of
from jointoit.api.http.rendering import EmptyResponse, JSONResponse
from jointoit.api.lists import parameters
from jointoit.api.lists.views import PagedView
from jointoit.errors import NotFound
from jointoit.webhooks import documentation, queries, subscriptions, trial
from jointoit.webhooks.models import Webhook
from jointoit.webhooks.serializers import (
    DeliveryParameters,
    DeliverySerializer,
    NewWebhookSerializer,
    WebhookSerializer,
)

REFUSED = ("address_not_allowed", "not_managed")


class WebhookView(PagedView):
    permission_classes = [IsAuthenticated]
    serializer_class: Any = WebhookSerializer
    scopes = dict.fromkeys(("GET", "POST", "PATCH", "DELETE"), "webhooks")

    def get_object(self) -> Webhook:
        webhook: Webhook | None = subscriptions.visible(caller_of(self.request)).filter(pk=self.kwargs["pk"]).first()
        if webhook is None:
            raise NotFound
        return webhook

    def values(self, request: Request, **kwargs: Any) -> dict[str, Any]:
        given = WebhookSerializer(data=request.data, **kwargs)
        given.is_valid(raise_exception=True)
        found: dict[str, Any] = given.validated_data
        return found


@documentation.webhook_list
class WebhookListView(WebhookView):
    refusals = {"POST": {400: REFUSED, 409: ("too_many_webhooks",)}}

    def get(self, request: Request) -> HttpResponse:
        rows = self.page_of(queries.webhook_list(caller_of(request)))
        return self.get_paginated_response([queries.members(row) for row in rows])

    def post(self, request: Request) -> HttpResponse:
        webhook, secret = subscriptions.create(
            caller=caller_of(request), values=self.values(request), now=timezone.now()
        )
        return JSONResponse(queries.members_of(webhook) | {"secret": secret}, status.HTTP_201_CREATED)


@documentation.webhook_detail
class WebhookDetailView(WebhookView):
    refusals = {"PATCH": {400: REFUSED}}

    def get(self, request: Request, pk: int) -> HttpResponse:
        return JSONResponse(queries.members_of(self.get_object()))

    def patch(self, request: Request, pk: int) -> HttpResponse:
        values = self.values(request, partial=True, context={"id": pk})
        changed = subscriptions.change(caller=caller_of(request), webhook_id=pk, values=values, now=timezone.now())
        return JSONResponse(queries.members_of(changed))

    def delete(self, request: Request, pk: int) -> HttpResponse:
        subscriptions.delete(caller=caller_of(request), webhook_id=pk)
        return EmptyResponse()


@documentation.rotate
class RotateView(WebhookView):
    serializer_class = NewWebhookSerializer

    def post(self, request: Request, pk: int) -> HttpResponse:
        webhook, secret = subscriptions.rotate(caller=caller_of(request), webhook_id=pk, now=timezone.now())
        return JSONResponse(queries.members_of(webhook) | {"secret": secret})


@documentation.test
class TestView(WebhookView):
    serializer_class = DeliverySerializer
    throttle_scope = "webhook_test"

    def post(self, request: Request, pk: int) -> HttpResponse:
        message = trial.send(caller=caller_of(request), webhook_id=pk, now=timezone.now())
        return JSONResponse(queries.log_members_of(message))


@documentation.delivery_list
class DeliveryListView(WebhookView):
    serializer_class = DeliverySerializer
    parameters_class = DeliveryParameters

    def get(self, request: Request, pk: int) -> HttpResponse:
        asked = parameters.read(request, DeliveryParameters)
        rows = self.page_of(queries.log_of(self.get_object(), asked, now=timezone.now()))
        return self.get_paginated_response([queries.log_members(row) for row in rows])


@documentation.redeliver
class RedeliverView(WebhookView):
    serializer_class = DeliverySerializer
    refusals = {"POST": {409: ("webhook_disabled",)}}

    def post(self, request: Request, pk: int, message: UUID) -> HttpResponse:
        again = subscriptions.redeliver(
            caller=caller_of(request), webhook_id=pk, message_id=message, now=timezone.now()
        )
        return JSONResponse(queries.log_members_of(again), status.HTTP_202_ACCEPTED)
