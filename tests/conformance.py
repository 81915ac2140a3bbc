"""Holds every answer that a test gets from the API to the document: status, media type and body are what it says."""

import json
import re
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.urls import Resolver404, resolve
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

CONVERTER = re.compile(r"<\w+:(\w+)>")
ABOUT_METHODS = ("OPTIONS", "TRACE")


@cache
def document() -> dict[str, Any]:
    made: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    plain: dict[str, Any] = json.loads(json.dumps(made, default=str))
    return plain


def pointed(part: dict[str, Any]) -> dict[str, Any]:
    """The part itself, or what its `$ref` names."""
    reference = part.get("$ref")
    if reference is None:
        return part
    found: Any = document()
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return dict(found)


def template(route: str) -> str:
    """A route as the document writes its path."""
    return "/" + CONVERTER.sub(lambda found: "{id}" if found[1] == "pk" else f"{{{found[1]}}}", route)


def operation(method: str, path: str) -> dict[str, Any] | None:
    """What the document says of this call; None when it is of none of its operations."""
    try:
        route = resolve(path).route
    except Resolver404:
        return None
    found: dict[str, Any] | None = (
        document()["paths"].get(template(route), {}).get(method.lower().replace("head", "get"))
    )
    return found


@cache
def validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator({**json.loads(schema), "components": document()["components"]})


def mismatch(method: str, path: str, response: Any) -> str | None:
    """How an answer differs from the document; None when it does not, or when the document is not about it."""
    if settings.ROOT_URLCONF != "config.urls" or method in ABOUT_METHODS or not (said := operation(method, path)):
        return None
    if response.status_code == 302:  # a browser is led to the page for people before the API is asked
        return None
    if str(response.status_code) not in said["responses"]:
        return f"{response.status_code} is not among {', '.join(said['responses'])}: {response.content[:300]!r}"
    content = pointed(said["responses"][str(response.status_code)]).get("content", {})
    media = response.get("Content-Type", "").partition(";")[0]
    if media not in content:
        return f"{media!r} is not among {list(content)}" if media or (content and response.content) else None
    return None if method == "HEAD" or "json" not in media else wrong_body(content[media], response)


def wrong_body(said: dict[str, Any], response: HttpResponse) -> str | None:
    error = next(validator(json.dumps(said["schema"])).iter_errors(json.loads(response.content)), None)
    return f"{error.json_path}: {error.message}" if error else None
