"""Throw-away views over the project's own models: what the toolkit promises, without the rules of the real views."""

import threading
from types import SimpleNamespace
from typing import Any

from django.db import transaction
from django.db.models import F
from django.http import HttpResponse
from django.urls import path
from rest_framework import serializers, status
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from jointoit.accounts.models import User
from jointoit.api.fields import ChoiceField, DateTimeField
from jointoit.api.http.conditional import Conditional
from jointoit.api.http.idempotency import idempotent
from jointoit.api.http.rendering import EmptyResponse, JSONResponse
from jointoit.api.lists import parameters
from jointoit.api.lists.pagination import Key, Listing, ListQuery
from jointoit.api.lists.parameters import BooleanParameter, IdParameter, ParameterSerializer, TextParameter
from jointoit.api.lists.views import PagedView
from jointoit.errors import Conflict, Forbidden
from jointoit.events.models import Event

#: Where a slow request says that it is at work, and waits.
barrier = SimpleNamespace(entered=threading.Event(), leave=threading.Event())
#: The titles of events whose creation was committed.
news: list[str] = []

COLUMNS = "event.id, event.title, event.date, event.created_at"
RANK = "(length(event.title) / 3.0)::float8"
KINDS = {"id": "bigint", "title": "text", "date": "timestamptz", "created_at": "timestamptz", "rank": "float8"}


def body(request: Request) -> dict[str, Any]:
    assert isinstance(request.data, dict)
    return request.data


class EventSerializer(serializers.ModelSerializer[Event]):
    class Meta:
        model = Event
        fields = ("id", "title", "date", "created_at")


class Open(GenericAPIView[Any]):
    authentication_classes = ()
    permission_classes = (AllowAny,)
    serializer_class: Any = EventSerializer
    queryset = Event.objects.all()


class Parameters(ParameterSerializer):
    title = TextParameter()
    organizer = IdParameter()
    status = ChoiceField(choices=Event.Status.choices, required=False)
    waitlist = BooleanParameter()
    date_from = DateTimeField(required=False)


CONDITIONS = {
    "title": "strpos(event.title, %(title)s) > 0",
    "organizer": "event.organizer_id = %(organizer)s",
    "status": "event.status = %(status)s",
    "waitlist": "event.waitlist = %(waitlist)s",
    "date_from": "event.date >= %(date_from)s",
}


def key(name: str) -> Key:
    column = name.removeprefix("-")
    return Key(column, RANK if column == "rank" else f"event.{column}", KINDS[column], name.startswith("-"))


class RowList(PagedView, Conditional, Open):
    """`ordering` is taken as it comes."""

    parameters_class = Parameters

    def get(self, request: Request) -> HttpResponse:
        asked = parameters.read(request, Parameters)
        order = [key(name) for name in request.query_params.get("ordering", "date,id").split(",")]
        if order[-1].name != "id":
            order.append(Key("id", "event.id", "bigint", order[-1].descending))
        conditions = ["true", *(CONDITIONS[name] for name in asked)]
        columns = f"{COLUMNS}, {RANK} AS rank"
        query = ListQuery(columns, "events_event AS event", tuple(conditions), tuple(order), ("rank",))
        return self.get_paginated_response(self.page_of(Listing(query, asked)))


class Detail(Conditional, Open):
    def get(self, request: Request, pk: int) -> HttpResponse:
        return JSONResponse(self.represent(self.get_object()))

    def patch(self, request: Request, pk: int) -> HttpResponse:
        with transaction.atomic():
            event = Event.objects.select_for_update(no_key=True).get(pk=pk)
            self.precondition(event)
            event.title = body(request)["title"]
            event.waiting = F("waiting") + 1
            event.save()
        return JSONResponse(self.represent(event))

    def delete(self, request: Request, pk: int) -> HttpResponse:
        event = self.get_object()
        self.precondition(event)
        event.delete()
        return EmptyResponse()


class Racy(Detail):
    """The control: it compares before it locks."""

    def patch(self, request: Request, pk: int) -> HttpResponse:
        self.precondition(self.get_object())
        Event.objects.filter(pk=pk).update(title=body(request)["title"], waiting=F("waiting") + 1)
        return JSONResponse({})


class Full(Conflict):
    code = "full"
    message = "Full."


class NotYours(Forbidden):
    code = "not_yours"
    message = "Not yours."


class Once(Open):
    """Creates an event for each time it really runs, then does what the title says."""

    @idempotent
    def post(self, request: Request, **kwargs: Any) -> HttpResponse:
        assert isinstance(request.user, User)
        title = body(request).get("title", "")
        event = Event.objects.create(title=title, date="2030-01-01T00:00Z", organizer=request.user)
        transaction.on_commit(lambda: news.append(title))
        if title == "slow":
            barrier.entered.set()
            barrier.leave.wait(10)
        if title == "full":
            raise Full(number=event.pk)
        if title == "not yours":
            raise NotYours
        if title == "bug":
            raise ZeroDivisionError
        if title == "refused":
            return JSONResponse({"id": event.pk}, status.HTTP_400_BAD_REQUEST)
        return JSONResponse({"id": event.pk}, status.HTTP_201_CREATED, headers={"Location": f"/made/{event.pk}/"})


class Ping(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)

    def get(self, request: Request) -> HttpResponse:
        return JSONResponse({})


class Login(Ping):
    throttle_scope = "login"


urlpatterns = [
    path("rows/", RowList.as_view()),
    path("others/", RowList.as_view()),
    path("events/<int:pk>/", Detail.as_view()),
    path("racy/<int:pk>/", Racy.as_view()),
    path("once/", Once.as_view()),
    path("once/<int:pk>/", Once.as_view()),
    path("ping/", Ping.as_view()),
    path("login/", Login.as_view()),
]
