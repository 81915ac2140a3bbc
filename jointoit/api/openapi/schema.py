"""The OpenAPI document: the code describes itself, and this module adds what is true of every operation.

What the author of a view declares:

* the docstring of the handler, else of the view: its first line becomes the summary, the rest the description;
* `@extend_schema(request=…, responses=…, examples=…)` as drf-spectacular has it. A status of 400 and above with None
  (`responses={200: EventSerializer, 403: None}`) is documented as a problem;
* `refusals = {"POST": {400: ["weak_password"], 409: ["event_full"]}}`, the codes of the problems that its classes do
  not show, by method and status;
* `database_free = ["GET"]`, methods that never answer 503;
* `scopes = {"GET": "events:read"}`, the scope that a key needs for a method; what it does not name is for no key;
* `deletes_with_body = True` for a view whose DELETE asks for a body;
* `sometimes = ("email",)` in a serializer: what its answers may leave out. They always have all else;
* `parameters=[LOCATION]` and `[DISPOSITION]` (components) for answers that have these headers;
* `standalone = True` for a view that needs no database and hence never answers 503.

What is added without a word: 400, 406, 414, 503 everywhere; 401 and 403 where a token or a key is looked at; 404 with
an id in the path; 411 and 413 unless it is a GET; 415 where a body is read; 412, `ETag`, `If-Match` for a `Conditional`
view; 409, 422, `Idempotency-Key` and `Idempotent-Replayed` for an idempotent POST; 429 and `RateLimit` where it is
throttled; `X-Request-ID`. Operations are named after their route, such as `event_list` and `event_publish`.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final

from django.urls import URLPattern, get_resolver
from drf_spectacular import openapi
from drf_spectacular.drainage import get_override
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import Direction
from rest_framework import permissions

from jointoit.api.http import conditional
from jointoit.api.openapi.components import (
    BAD_BODY,
    BAD_PARAMETER,
    BAD_TOKEN,
    HEADERS,
    NO_SCOPE,
    NOT_MODIFIED,
    PARAMETERS,
    PROBLEM,
    PROBLEM_CODE,
    RESPONSES,
    SharedResponse,
    problem_headers,
    refusal,
)
from jointoit.api.problems.catalogue import known

#: The first of these that is a segment of the path says what an operation belongs to.
TAGS: Final = {
    "ticket": "check-in",
    "ticket.svg": "check-in",
    "ticket.png": "check-in",
    "tickets": "check-in",
    "checkin": "check-in",
    "users": "accounts",
    "token": "accounts",
    "register": "registrations",
    "registrations": "registrations",
    "transfers": "registrations",
    "events": "events",
    "invitations": "events",
    "calendar.ics": "events",
    "calendar": "registrations",
    "feed": "programs",
    "webhooks": "programs",
}
OPEN_TO: Final = (permissions.AllowAny, permissions.IsAuthenticated, permissions.IsAuthenticatedOrReadOnly)


@cache
def route_names() -> Mapping[str, str]:
    routes = [pattern for pattern in get_resolver().url_patterns if isinstance(pattern, URLPattern)]
    return {str(route.pattern): route.name for route in routes if route.name}


class AutoSchema(openapi.AutoSchema):
    # ── Names and words ──

    def get_operation_id(self) -> str:
        name = route_names().get(self.path_regex.lstrip("/"))
        if name is None:
            return str(super().get_operation_id())
        stem, _, last = name.rpartition("-")
        if last in ("list", "detail") and stem:
            verb = "list" if last == "list" and self.method == "GET" else self.method_mapping[self.method.lower()]
            return f"{stem}_{verb}".replace("-", "_")
        verb = "" if self.method == "POST" else f"_{'list' if self._is_list_view() else self.verb}"
        return f"{name}{verb}".replace("-", "_")

    @property
    def verb(self) -> str:
        return str(self.method_mapping[self.method.lower()])

    def map_parsers(self) -> list[str]:
        """JSON alone. The pages behind links in mails send forms to the same addresses, which are theirs to know; and
        openapi-python-client writes a module that cannot be imported where there are two kinds of bodies.
        """
        return ["application/json"] if self.view.parser_classes else []

    def get_tags(self) -> list[str]:
        segments = self.path.split("/")
        return [next((tag for segment, tag in TAGS.items() if segment in segments), "service")]

    def get_summary(self) -> str | None:
        return super().get_description().partition("\n")[0].rstrip(".") or None

    def get_description(self) -> str:  # type: ignore[override]
        return str(super().get_description().partition("\n")[2].strip())

    # ── Parameters ──

    def _resolve_path_parameters(self, variables: list[str]) -> list[dict[str, Any]]:
        if "<id:" not in self.path_regex:
            return list(super()._resolve_path_parameters(variables))  # type: ignore[no-untyped-call]
        return [{**PARAMETERS["id"], "name": name} for name in variables]

    def get_override_parameters(self) -> list[Any]:
        """What a list may be narrowed by, and its pages: the serializers that read them."""
        kinds: list[Any] = list(super().get_override_parameters())
        if self.method == "GET" and self._is_list_view():
            own = getattr(self.view, "parameters_class", None)
            paginator: Any = getattr(self.view, "paginator", None)
            kinds += [*([own] if own else []), paginator.parameters_class]
        return kinds

    def _get_parameters(self) -> list[dict[str, Any]]:
        found = list(super()._get_parameters())
        wanted = [PARAMETERS[name] for name in self.header_parameters()]
        return [*found, *(each for each in wanted if each["name"] not in {parameter["name"] for parameter in found})]

    def header_parameters(self) -> Iterable[str]:
        if self.is_conditional and self.method == "GET":
            yield "If-None-Match"
        if self.honours_if_match:
            yield "If-Match"
        if self.is_idempotent:
            yield "Idempotency-Key"

    # ── What the view is ──

    @property
    def is_conditional(self) -> bool:
        return isinstance(self.view, conditional.Conditional)

    @property
    def changes_by_post(self) -> bool:
        return self.method == "POST" and getattr(self.view, "changes_by_post", False)

    @property
    def honours_if_match(self) -> bool:
        return self.is_conditional and (self.method in ("PUT", "PATCH", "DELETE") or self.changes_by_post)

    @property
    def is_idempotent(self) -> bool:
        return self.method == "POST" and getattr(getattr(self.view, "post", None), "is_idempotent", False)

    def _get_request_body(self, direction: str = "request") -> Any:
        """Also for a DELETE whose view says `deletes_with_body`, which drf-spectacular does not foresee."""
        method = self.method
        if method == "DELETE" and getattr(self.view, "deletes_with_body", False):
            self.method = "POST"
        try:
            return super()._get_request_body(direction)  # type: ignore[no-untyped-call]
        finally:
            self.method = method

    @property
    def lets_anybody_in(self) -> bool:
        """Whether every permission lets a caller without a token pass for this method."""
        asked = self.view.get_permissions()
        return all(
            isinstance(each, permissions.AllowAny) or (self.method == "GET" and getattr(each, "anybody_reads", False))
            for each in asked
        )

    def get_auth(self) -> list[dict[str, list[str]]]:
        """A token is read wherever there is an authenticator; {} says that one may come without.

        A key is for the calls whose views name a scope for the method.
        """
        auths = [auth for auth in super().get_auth() if auth]
        if scope := getattr(self.view, "scopes", {}).get(self.method):
            auths.append({"apiKey": [scope]})
        return [*auths, {}] if self.lets_anybody_in else auths

    @property
    def reads_body(self) -> bool:
        """Also where none is asked for: a repeated request is one with the same body."""
        return self.is_idempotent or bool(self._get_request_body())

    @property
    def asks_more_than_who(self) -> bool:
        """Whether a permission looks at the object."""
        return not self.lets_anybody_in and any(type(each) not in OPEN_TO for each in self.view.get_permissions())

    def refusals(self) -> dict[int, list[str]]:
        """The codes that are this operation's own, by status."""
        own: Mapping[int, Iterable[str]] = getattr(self.view, "refusals", {}).get(self.method, {})
        found = {status: list(codes) for status, codes in own.items()}
        if self.is_idempotent:
            found.setdefault(409, []).append("request_in_progress")
        return found

    def problem_statuses(self) -> Iterable[int]:
        yield 400
        if self.view.get_authenticators():
            yield 401
            yield 403
        if "{" in self.path:
            yield 404
        yield 406
        if self.honours_if_match:
            yield 412
        if self.method != "GET":
            yield 411
            yield 413
        yield 414
        if self.reads_body:
            yield 415
        if self.is_idempotent:
            yield 422
        if self.view.get_throttles():
            yield 429
        if not (getattr(self.view, "standalone", False) or self.method in getattr(self.view, "database_free", ())):
            yield 503

    # ── Responses ──

    def _get_serializer_field_meta(self, field: Any, direction: Direction) -> dict[str, Any]:
        """What a field says of its own length stands: drf-spectacular would say 1 of all that must not be empty."""
        meta: dict[str, Any] = super()._get_serializer_field_meta(field, direction)  # type: ignore[no-untyped-call]
        own = get_override(field, "field")
        if isinstance(own, dict) and "minLength" in own:
            meta.pop("minLength", None)
        return meta

    def _map_basic_serializer(self, serializer: Any, direction: Direction) -> dict[str, Any]:
        """What an answer always has is required in it, whether or not a request may leave it out."""
        schema: dict[str, Any] = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]
        if direction == "response":
            sometimes = getattr(serializer, "sometimes", ())
            schema["required"] = sorted(name for name in schema["properties"] if name not in sometimes)
        if not vars(serializer if isinstance(serializer, type) else type(serializer)).get("__doc__"):
            schema.pop("description", None)  # what it inherits is about another class
        return schema

    def _get_response_bodies(self, direction: Direction = "response") -> dict[str, Any]:
        responses: dict[str, Any] = super()._get_response_bodies(direction)
        self._component("Problem", ResolvedComponent.SCHEMA, PROBLEM)
        self._component("ProblemCode", ResolvedComponent.SCHEMA, PROBLEM_CODE | {"enum": sorted(known())})
        for name, header in HEADERS.items():
            self._component(name, ResolvedComponent.HEADER, header)
        for status_, response in responses.items():
            response["headers"] = {**self.success_headers(int(status_)), **response.get("headers", {})}
        declared = {int(status) for status, response in responses.items() if int(status) >= 400}
        bare = {status for status in declared if "content" not in responses[str(status)]}
        for status in bare | {*self.problem_statuses()} - declared:
            responses[str(status)] = self._shared(status)
        for status, codes in self.refusals().items():
            shown_by_classes = self._shared_of(status).codes if status in {*self.problem_statuses()} else ()
            written = refusal(status, [*shown_by_classes, *codes], self.refusal_headers(status))
            content = responses.get(str(status), {}).get("content", {})
            responses[str(status)] = {**written, "content": {**content, **written["content"]}}
        if self.is_conditional and self.method == "GET":
            responses["304"] = NOT_MODIFIED
        return dict(sorted(responses.items()))

    def rate_headers(self) -> list[str]:
        return ["RateLimit", "RateLimit-Policy"] if self.view.get_throttles() else []

    def refusal_headers(self, status: int) -> list[str]:
        of_keys = ["Retry-After", "Idempotent-Replayed"] if status == 409 and self.is_idempotent else []
        return [*RESPONSES[status].headers, *self.rate_headers(), *of_keys]

    def success_headers(self, status: int) -> dict[str, Any]:
        names = ["X-Request-ID", *self.rate_headers()]
        if self.is_conditional and (
            status == 201 or (status == 200 and (self.method != "POST" or self.changes_by_post))
        ):
            names.append("ETag")
            if self.method != "GET" and status == 200:
                names.append("Content-Location")
        if self.is_idempotent:
            names.append("Idempotent-Replayed")
        return problem_headers(names)

    def _shared(self, status: int) -> dict[str, Any]:
        """Refer to what all operations answer with this status, having put it into the document."""
        shared = self._shared_of(status)
        return self._component(shared.name, ResolvedComponent.RESPONSE, shared.document())

    def _shared_of(self, status: int) -> SharedResponse:
        if status == 401 and self.lets_anybody_in:
            return BAD_TOKEN
        if status == 403 and not ("{" in self.path and self.asks_more_than_who):
            return NO_SCOPE
        if status == 400 and self.reads_body:
            return BAD_BODY
        if status == 400 and any(each["in"] == "query" for each in self._get_parameters()):
            return BAD_PARAMETER
        return RESPONSES[status]

    def _component(self, name: str, kind: str, document: dict[str, Any]) -> dict[str, Any]:
        component = ResolvedComponent(name, kind, document, object=AutoSchema)  # type: ignore[no-untyped-call]
        self.registry.register_on_missing(component)
        return dict(component.ref)
