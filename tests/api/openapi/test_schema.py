"""The OpenAPI document: valid, complete, and the same as what the service does."""

from typing import Any

import pytest
import yaml
from django.core.management import call_command
from django.urls import path
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from drf_spectacular.validation import validate_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny, IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

import jointoit.api.http.converters  # noqa: F401  registers <id:…>
from jointoit.api import fields
from jointoit.api.http.conditional import Conditional
from jointoit.api.http.idempotency import idempotent
from jointoit.api.openapi.schema import AutoSchema
from tests.client import BrowserClient

Operation = dict[str, Any]


class ThingSerializer(serializers.Serializer[Any]):
    name = fields.LineField(max_length=5, help_text="Its name.")
    email = fields.EmailField()
    zone = fields.TimeZoneField(required=False)
    at = fields.DateTimeField()
    size = fields.StrictIntegerField(min_value=1)
    kind = fields.ChoiceField(choices=["red", "blue"])


class Never(BaseThrottle):
    def allow_request(self, request: Request, view: APIView) -> bool:
        return False


class Plain(APIView):
    """Look at it.

    From all sides.
    """

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = ()
    standalone = True

    @extend_schema(responses=ThingSerializer)
    def get(self, request: Request) -> Response:
        return Response()


class Busy(Conditional):
    serializer_class = ThingSerializer
    permission_classes = (IsAdminUser,)
    throttle_classes = (Never,)
    refusals = {"PUT": {409: ["conflict"]}}

    def put(self, request: Request, pk: int) -> Response:
        """Put it."""
        return Response()

    @extend_schema(responses={200: ThingSerializer, 403: None})
    @idempotent
    def post(self, request: Request, pk: int) -> Response:
        """Post it."""
        return Response()


urlpatterns = [
    path("things/", Plain.as_view(), name="thing-list"),
    path("things/<id:pk>/", Busy.as_view(), name="thing-detail"),
]


@pytest.fixture
def operations() -> dict[tuple[str, str], Operation]:
    """The operations of the two views above."""
    document = SchemaGenerator(patterns=urlpatterns).get_schema(public=True)
    validate_schema(document)
    return {(method, address): each for address, item in document["paths"].items() for method, each in item.items()}


def statuses(operation: Operation) -> list[str]:
    return sorted(operation["responses"])


def test_an_open_view_gives_few_problems(operations: dict[tuple[str, str], Operation]) -> None:
    assert statuses(operations["get", "/things/"]) == ["200", "400", "406", "414"]


def test_a_guarded_view_gives_every_problem_that_its_classes_show(operations: dict[tuple[str, str], Operation]) -> None:
    found = statuses(operations["put", "/things/{id}/"])
    assert found == ["200", "400", "401", "403", "404", "406", "409", "411", "412", "413", "414", "415", "429", "503"]


def test_an_idempotent_post_takes_a_key_and_may_refuse_it(operations: dict[tuple[str, str], Operation]) -> None:
    operation = operations["post", "/things/{id}/"]
    assert "422" in operation["responses"]
    assert [parameter["name"] for parameter in operation["parameters"]] == ["id", "Idempotency-Key"]


def test_a_conditional_put_takes_a_tag_and_gives_one(operations: dict[tuple[str, str], Operation]) -> None:
    operation = operations["put", "/things/{id}/"]
    assert [parameter["name"] for parameter in operation["parameters"]] == ["id", "If-Match"]
    headers = operation["responses"]["200"]["headers"]
    assert sorted(headers) == ["Content-Location", "ETag", "RateLimit", "RateLimit-Policy", "X-Request-ID"]


def test_conflicts_are_told_by_their_codes(operations: dict[tuple[str, str], Operation]) -> None:
    content = operations["put", "/things/{id}/"]["responses"]["409"]["content"]["application/problem+json"]
    assert list(content["examples"]) == ["conflict"]
    assert content["schema"] == {"$ref": "#/components/schemas/Problem"}


def test_a_status_without_a_shape_is_a_problem(operations: dict[tuple[str, str], Operation]) -> None:
    assert operations["post", "/things/{id}/"]["responses"]["403"] == {"$ref": "#/components/responses/Forbidden"}


def test_the_docstring_becomes_summary_and_description(operations: dict[tuple[str, str], Operation]) -> None:
    operation = operations["get", "/things/"]
    assert (operation["summary"], operation["description"]) == ("Look at it", "From all sides.")


def test_ids_are_whole_numbers_of_64_bits(operations: dict[tuple[str, str], Operation]) -> None:
    schema = operations["put", "/things/{id}/"]["parameters"][0]["schema"]
    assert schema == {"type": "integer", "format": "int64", "minimum": 1, "maximum": 2**63 - 1}


def test_fields_say_what_they_take() -> None:
    document = SchemaGenerator(patterns=urlpatterns).get_schema(public=True)
    found = document["components"]["schemas"]["Thing"]["properties"]
    assert found["name"] == {"type": "string", "maxLength": 5, "description": "Its name."}
    assert found["email"] == {"type": "string", "format": "email", "maxLength": 254, "examples": ["ada@example.org"]}
    assert found["zone"] == {"type": "string", "format": "iana-time-zone", "examples": ["Europe/Berlin", "UTC"]}
    assert found["at"] == {"type": "string", "format": "date-time"}
    assert found["size"] == {"type": "integer", "minimum": 1}


def test_every_view_uses_this_schema() -> None:
    assert isinstance(Plain().schema, AutoSchema)


# ── The document of the service ──


@pytest.fixture
def document(client: BrowserClient) -> Any:
    return client.get("/api/schema/", headers={"Accept": "application/json"}).json()


def test_the_document_is_valid_and_made_without_a_warning(tmp_path: Any) -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "openapi.yaml"))
    assert yaml.safe_load((tmp_path / "openapi.yaml").read_text())["openapi"] == "3.1.0"


def test_yaml_and_json_say_the_same(client: BrowserClient, document: Any) -> None:
    text = client.get("/api/schema/", headers={"Accept": "application/yaml"}).content
    assert yaml.safe_load(text) == document


@pytest.mark.parametrize(("format_", "media"), [("json", "openapi+json"), ("yaml", "openapi")])
def test_a_link_may_name_the_format(client: BrowserClient, document: Any, format_: str, media: str) -> None:
    response = client.get(f"/api/schema/?format={format_}", headers={"Accept": "text/html"})
    assert yaml.safe_load(response.content) == document
    assert response["Content-Type"].partition(";")[0] == f"application/vnd.oai.{media}"
    assert response["Content-Disposition"] == f'inline; filename="openapi.{format_}"'


def test_an_unchanged_document_is_not_sent_again(client: BrowserClient) -> None:
    first = client.get("/api/schema/")
    again = client.get("/api/schema/", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])


def test_operations_have_names_of_their_own_and_a_known_tag(document: Any) -> None:
    operations = [each for item in document["paths"].values() for each in item.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))
    assert {"event_list", "event_create", "event_retrieve", "registration_list", "registration_retrieve"} < set(names)
    assert {tag for each in operations for tag in each["tags"]} == {tag["name"] for tag in document["tags"]}


def test_every_operation_has_a_summary_and_its_problems_are_problems(document: Any) -> None:
    for item in document["paths"].values():
        for operation in item.values():
            assert operation["summary"]
            assert {"400", "406"} < set(operation["responses"])


def test_the_document_does_not_depend_on_where_it_is_made(document: Any, settings: Any) -> None:
    assert settings.PUBLIC_URL not in str(document)
