"""Throw-away views over the project's own models: what the toolkit promises, without the rules of the real views."""

import threading
from types import SimpleNamespace
from typing import Any

from django.db import transaction
from django.db.models import F, FloatField, QuerySet, Value
from django.db.models.functions import Cast, Length
from django.urls import path
from rest_framework import serializers, status
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jointoit.accounts.models import User
from jointoit.api.http.conditional import Conditional
from jointoit.api.http.idempotency import idempotent
from jointoit.api.lists import filtering
from jointoit.errors import Conflict, Forbidden
from jointoit.events.models import Event

#: Where a slow request says that it is at work, and waits.
gate = SimpleNamespace(entered=threading.Event(), leave=threading.Event())
#: The titles of events whose creation was committed.
news: list[str] = []

ROWS = ("id", "title", "date", "created_at")
REAL = FloatField()
REAL.db_type = lambda connection: "real"  # type: ignore[method-assign]  # what ts_rank is


def body(request: Request) -> dict[str, Any]:
    assert isinstance(request.data, dict)
    return request.data


class EventSerializer(serializers.ModelSerializer[Event]):
    class Meta:
        model = Event
        fields = ROWS


class Open(GenericAPIView[Any]):
    authentication_classes = ()
    permission_classes = (AllowAny,)
    serializer_class: Any = EventSerializer
    queryset = Event.objects.all()


class Filters(filtering.StrictFilterSet):
    title = filtering.TextFilter(lookup_expr="contains")
    organizer = filtering.IdFilter()
    status = filtering.ChoiceFilter(choices=Event.Status.choices)
    waitlist = filtering.BooleanFilter()
    date_from = filtering.TimestampFilter("date", "gte")


class RowList(Open):
    """Rows; `ordering` is taken as it comes."""

    filter_backends = (filtering.StrictFilterBackend,)
    filterset_class = Filters

    def get_ordering(self) -> tuple[str, ...]:
        return tuple(self.request.query_params.get("ordering", "date,id").split(","))

    def get_queryset(self) -> QuerySet[Event]:
        # A third of a length is a number that single precision cannot hold.
        return Event.objects.annotate(rank=Cast(Length("title") / Value(3.0), REAL))

    def get(self, request: Request) -> Response:
        rows = self.filter_queryset(self.get_queryset()).values(*ROWS, "rank")
        return self.get_paginated_response(self.paginate_queryset(rows))


class InstanceList(Conditional, Open):
    """Instances, in the order of the queryset."""

    queryset = Event.objects.order_by("-date")

    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class Detail(Conditional, Open):
    def get(self, request: Request, pk: int) -> Response:
        return Response(self.represent(self.get_object()))

    def patch(self, request: Request, pk: int) -> Response:
        with transaction.atomic():
            event = Event.objects.select_for_update(no_key=True).get(pk=pk)
            self.precondition(event)
            event.title = body(request)["title"]
            event.waiting = F("waiting") + 1
            event.save()
        return Response(self.represent(event))

    def delete(self, request: Request, pk: int) -> Response:
        event = self.get_object()
        self.precondition(event)
        event.delete()
        return Response(status=status.HTTP_204_NO_CONTENT)


class Racy(Detail):
    """The control: it compares before it locks."""

    def patch(self, request: Request, pk: int) -> Response:
        self.precondition(self.get_object())
        Event.objects.filter(pk=pk).update(title=body(request)["title"], waiting=F("waiting") + 1)
        return Response({})


class Full(Conflict):
    code = "full"
    message = "Full."


class NotYours(Forbidden):
    code = "not_yours"
    message = "Not yours."


class Once(Open):
    """Creates an event for each time it really runs, then does what the title says."""

    @idempotent
    def post(self, request: Request, **kwargs: Any) -> Response:
        assert isinstance(request.user, User)
        title = body(request).get("title", "")
        event = Event.objects.create(title=title, date="2030-01-01T00:00Z", organizer=request.user)
        transaction.on_commit(lambda: news.append(title))
        if title == "slow":
            gate.entered.set()
            gate.leave.wait(10)
        if title == "full":
            raise Full(number=event.pk)
        if title == "not yours":
            raise NotYours
        if title == "bug":
            raise ZeroDivisionError
        if title == "refused":
            return Response({"id": event.pk}, status.HTTP_400_BAD_REQUEST)
        return Response({"id": event.pk}, status.HTTP_201_CREATED, headers={"Location": f"/made/{event.pk}/"})


class Ping(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)

    def get(self, request: Request) -> Response:
        return Response({})


class Login(Ping):
    throttle_scope = "login"


urlpatterns = [
    path("rows/", RowList.as_view()),
    path("others/", RowList.as_view()),
    path("instances/", InstanceList.as_view()),
    path("events/<int:pk>/", Detail.as_view()),
    path("racy/<int:pk>/", Racy.as_view()),
    path("once/", Once.as_view()),
    path("once/<int:pk>/", Once.as_view()),
    path("ping/", Ping.as_view()),
    path("login/", Login.as_view()),
]
