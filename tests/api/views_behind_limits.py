"""Throw-away views behind the real middlewares, to meet the toolkit as a client does."""

from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation, ValidationError
from django.db import IntegrityError, connection
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import include, path
from django.views.decorators.cache import cache_control
from rest_framework import exceptions, serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jointoit.accounts.models import User
from jointoit.api.problems.validation import InvalidParameter
from jointoit.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated, Unavailable

handler400 = "jointoit.api.problems.handlers.bad_request"
handler403 = "jointoit.api.problems.handlers.permission_denied"
handler404 = "jointoit.api.problems.handlers.not_found"
handler500 = "jointoit.api.problems.handlers.server_error"


class Full(Conflict):
    """Every seat is taken."""

    code = "full_house"
    message = "No seat is left."


class NotYours(Forbidden):
    code = "not_yours_at_all"
    message = "This belongs to somebody else."


class Secret(NotFound):
    code = "secret"
    message = "The vault is hidden."


class Stranger(Unauthenticated):
    code = "stranger"
    message = "Who are you?"


class TooLate(Invalid):
    code = "too_late"
    message = "This must be earlier."


class Tired(Unavailable):
    code = "tired"
    message = "Come back later."
    retry_after = 7


class Gone(exceptions.APIException):
    status_code = 410
    default_code = "gone_for_good"


ERRORS: dict[str, Any] = {
    "conflict": lambda: Full(registration="https://example.org/1", status="kept out"),
    "forbidden": NotYours,
    "secret": Secret,
    "missing": NotFound,
    "http404": lambda: Http404("SENT"),
    "drf404": exceptions.NotFound,
    "stranger": Stranger,
    "too-late": lambda: TooLate(field="date"),
    "tired": Tired,
    "parameter": lambda: InvalidParameter("page_size", "A whole number from 1 to 100."),
    "parameters": lambda: exceptions.ValidationError(
        {"a": [exceptions.ErrorDetail("One.", "x")], "b": [exceptions.ErrorDetail("Two.", "y")]}
    ),
    "throttled": lambda: exceptions.Throttled(wait=2.2),
    "throttled-forever": exceptions.Throttled,
    "denied": exceptions.PermissionDenied,
    "django-denied": PermissionDenied,
    "suspicious": lambda: SuspiciousOperation("SENT"),
    "parse": lambda: exceptions.ParseError("SENT"),
    "token": lambda: exceptions.AuthenticationFailed("The token is dead.", code="token_not_valid"),
    "django-invalid": lambda: ValidationError({"title": ValidationError("Too long.", code="max_length")}),
    "tree": lambda: exceptions.ValidationError(
        {"a/b": {"c~d": ["x"]}, "tags": {"1": ["long"]}, "rows": [{}, {"n": ["odd"]}], "non_field_errors": ["whole"]}
    ),
    "method": lambda: exceptions.MethodNotAllowed("SENT"),
    "nobody": exceptions.NotAuthenticated,
    "bare": exceptions.APIException,
    "strange": lambda: Gone({"SENT": "SENT"}),
    "too-big": lambda: RequestDataTooBig("SENT"),
    "integrity": lambda: IntegrityError("SENT"),
    "bug": lambda: RuntimeError("SENT"),
}


class OpenView(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = ()


class RaiseView(OpenView):
    def get(self, request: Request, name: str) -> Response:
        raise ERRORS[name]()  # noqa: RSE102  a lambda is called, not a class

    def post(self, request: Request, name: str) -> Response:
        raise ERRORS[name]()  # noqa: RSE102  a lambda is called, not a class


class SqlView(OpenView):
    """Runs what the test put into `statement`."""

    statement = ""

    def post(self, request: Request) -> Response:
        with connection.cursor() as cursor:
            cursor.execute(self.statement)
        return Response()


class UserView(OpenView):
    def post(self, request: Request) -> Response:
        row: Any = request.data
        User.objects.create(username=row["username"], email=row["email"])
        return Response(status=201)


class StockSerializer(serializers.Serializer[Any]):
    """Stock fields, whose stock messages repeat what was sent."""

    choice = serializers.ChoiceField(choices=["a"])
    several = serializers.MultipleChoiceField(choices=["a"])
    user = serializers.PrimaryKeyRelatedField(queryset=User.objects.all())
    name = serializers.SlugRelatedField(queryset=User.objects.all(), slug_field="username")
    tags = serializers.ListField(child=serializers.CharField(max_length=3))
    facts = serializers.DictField()
    whole = serializers.IntegerField()
    when = serializers.DateTimeField()


class StockView(OpenView):
    def post(self, request: Request) -> Response:
        StockSerializer(data=request.data).is_valid(raise_exception=True)
        return Response()


class EchoView(OpenView):
    def get(self, request: Request) -> Response:
        return Response({"query": request.query_params.dict()})

    def post(self, request: Request) -> Response:
        return Response({"body": request.data, "query": request.query_params.dict()})


class SignedInView(APIView):
    throttle_classes = ()

    def get(self, request: Request) -> Response:
        headers = {"Cache-Control": "private, max-age=5"} if "own" in request.query_params else {}
        return Response({"id": request.user.pk}, headers=headers)


def plain(request: HttpRequest) -> HttpResponse:
    """Not of REST framework."""
    if name := request.GET.get("raise"):
        raise ERRORS[name]()  # noqa: RSE102  a lambda is called, not a class
    return HttpResponse("no", status=int(request.GET.get("status", "200")))


urlpatterns = [
    path("raise/<slug:name>/", RaiseView.as_view()),
    path("sql/", SqlView.as_view()),
    path("user/", UserView.as_view()),
    path("stock/", StockView.as_view()),
    path("echo/", EchoView.as_view()),
    path("me/", SignedInView.as_view()),
    path("kept/", cache_control(max_age=77)(EchoView.as_view())),
    path("plain/", plain),
    path("admin/", include([path("broken/", plain)])),
]
