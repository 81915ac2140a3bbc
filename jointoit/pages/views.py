"""The pages that a person may land on: the front door, and one for each kind of problem. Programs get them as JSON."""

import json
from typing import Any, Final

from django.conf import settings
from django.urls import reverse
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.renderers import TemplateHTMLRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from jointoit.api.http.rendering import JSONRenderer
from jointoit.api.problems.catalogue import known
from jointoit.api.problems.kinds import SERVER, ProblemType
from jointoit.api.service import ServiceView

#: Link → name of its route.
LINKS: Final = {
    "docs": "docs",
    "redoc": "redoc",
    "schema": "schema",
    "events": "event-list",
    "problems": "problem-types",
    "health": "health-ready",
    "admin": "admin:index",
}


class PageView(ServiceView):
    """JSON unless `Accept` prefers HTML, as browsers do."""

    renderer_classes = (JSONRenderer, TemplateHTMLRenderer)


def links() -> dict[str, str]:
    found = {link: settings.PUBLIC_URL + reverse(name) for link, name in LINKS.items()}
    inbox = getattr(settings, "INBOX_URL", "")
    return found | ({"inbox": inbox} if settings.DEBUG and inbox else {})


def problem_members(kind: ProblemType) -> dict[str, Any]:
    return {
        "type": kind.uri,
        "code": kind.code,
        "title": kind.title,
        "status": kind.status,
        "detail": kind.sentence,
        "explanation": kind.explanation or kind.sentence,
        "remedy": kind.remedy,
        "example": kind.example(settings.PUBLIC_URL),
    }


def _object(*names: str, **others: Any) -> dict[str, Any]:
    strings = {name: {"type": "string"} for name in names}
    return {"type": "object", "required": [*strings, *others], "properties": strings | others}


URI: Final = {"type": "string", "format": "uri"}
PROBLEM_TYPE: Final = _object(
    "code",
    "title",
    "detail",
    "explanation",
    "remedy",
    type=URI,
    status={"type": "integer"},
    example={"$ref": "#/components/schemas/Problem"},
)
NOT_FOUND: Final = known()["not_found"]
EXAMPLE: Final = problem_members(NOT_FOUND) | {
    "type": NOT_FOUND.example()["type"],
    "example": NOT_FOUND.example(),
}


class FrontView(PageView):
    @extend_schema(
        operation_id="service_links",
        responses={
            (200, "application/json"): OpenApiResponse(
                {"type": "object", "additionalProperties": URI},
                "Addresses by name.",
                [OpenApiExample("links", {"docs": f"{SERVER}/api/docs/", "schema": f"{SERVER}/api/schema/"})],
            ),
            (200, "text/html"): OpenApiResponse({"type": "string"}, "The same as a page."),
        },
    )
    def get(self, request: Request) -> Response:
        """Find the way to everything else."""
        is_page = request.accepted_renderer.format == "html"
        return Response(links() | ({"base": settings.PUBLIC_URL} if is_page else {}), template_name="pages/front.html")


class ProblemTypesView(PageView):
    @extend_schema(
        operation_id="problem_type_list",
        responses={
            (200, "application/json"): OpenApiResponse(
                {"type": "array", "items": PROBLEM_TYPE}, "All of them.", [OpenApiExample("problems", [EXAMPLE])]
            ),
            (200, "text/html"): OpenApiResponse({"type": "string"}, "The same as a page."),
        },
    )
    def get(self, request: Request) -> Response:
        """List every kind of problem that an answer may be."""
        kinds = [problem_members(kind) for kind in sorted(known().values(), key=lambda kind: (kind.status, kind.code))]
        data: Any = {"problems": kinds} if request.accepted_renderer.format == "html" else kinds
        return Response(data, template_name="pages/problems.html")


class ProblemTypeView(PageView):
    @extend_schema(
        operation_id="problem_type_retrieve",
        responses={
            (200, "application/json"): OpenApiResponse(PROBLEM_TYPE, "The problem.", [OpenApiExample("type", EXAMPLE)]),
            (200, "text/html"): OpenApiResponse({"type": "string"}, "The same as a page."),
        },
    )
    def get(self, request: Request, code: str) -> Response:
        """Explain one kind of problem: where the `type` of a problem leads."""
        kind = known().get(code)
        if kind is None:
            raise NotFound
        data: Any = problem_members(kind)
        if request.accepted_renderer.format == "html":
            data["example"] = json.dumps(data["example"], indent=2)
        return Response(data, template_name="pages/problem.html")
