"""What the OpenAPI document says of accounts."""

from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator


@pytest.fixture(scope="module")
def document() -> Any:
    return SchemaGenerator().get_schema(request=None, public=True)


@pytest.fixture(scope="module")
def operations(document: Any) -> list[Any]:
    ours = [item for path, item in document["paths"].items() if path.startswith(("/users/", "/api/token/"))]
    return [operation for item in ours for operation in item.values()]


def test_every_body_has_an_example(operations: list[Any]) -> None:
    bodies = [
        operation["requestBody"]["content"]["application/json"]
        for operation in operations
        if "requestBody" in operation
    ]
    answers = [
        response["content"]["application/json"]
        for operation in operations
        for response in operation["responses"].values()
        if "application/json" in response.get("content", {})
    ]

    assert (len(bodies), len(answers)) == (21, 23)
    assert all(body.get("examples") for body in [*bodies, *answers])


def test_closing_an_account_is_documented_with_its_body(document: Any) -> None:
    body = document["paths"]["/users/me/"]["delete"]["requestBody"]["content"]["application/json"]

    assert body["schema"] == {"$ref": "#/components/schemas/AccountClosingRequest"}


def test_tokens_are_documented_as_bearer_tokens(document: Any) -> None:
    scheme = document["components"]["securitySchemes"]["accessToken"]

    assert (scheme["type"], scheme["scheme"], scheme["bearerFormat"]) == ("http", "bearer", "JWT")


def test_no_password_is_ever_in_an_answer(document: Any) -> None:
    schemas = document["components"]["schemas"]
    shown = [name for name, schema in schemas.items() if "password" in str(schema.get("properties", {}).keys())]

    assert [name for name in shown if not name.endswith("Request")] == []
