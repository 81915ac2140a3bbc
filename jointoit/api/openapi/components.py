"""The parts of the OpenAPI document that many operations share."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from drf_spectacular.utils import OpenApiExample, OpenApiParameter

from jointoit.api.problems.catalogue import known, variant
from jointoit.api.problems.kinds import BY_STATUS, MEDIA_TYPE, REQUEST

PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "description": "An error by RFC 9457. Some problems have further members, by their `code`.",
    "required": ["type", "title", "status", "detail", "code", "instance"],
    "properties": {
        "type": {"type": "string", "format": "uri", "description": "A page about this kind of problem."},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "A sentence for a person."},
        "code": {"$ref": "#/components/schemas/ProblemCode"},
        "instance": {"type": "string", "format": "uri", "description": "The id of the request."},
        "errors": {
            "type": "array",
            "description": "What is wrong with the input, one entry for each value.",
            "items": {
                "type": "object",
                "required": ["code", "detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "JSON Pointer into the body (RFC 6901 section 6)."},
                    "parameter": {"type": "string", "description": "Name of the query parameter or header."},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
        "registration": {
            "type": "string",
            "format": "uri",
            "description": "With `already_registered`: where that registration is read.",
        },
        "seats_taken": {
            "type": "integer",
            "minimum": 0,
            "description": "With `capacity_below_confirmed`: how many are confirmed.",
        },
        "resend": {
            "type": "string",
            "format": "uri",
            "description": "With `email_not_verified`: where to ask for the mail again.",
        },
        "restart": {
            "type": "string",
            "format": "uri",
            "description": "With `cursor_expired`: where to begin anew.",
        },
        "parts": {
            "type": "object",
            "additionalProperties": True,
            "description": "With `database_unavailable` of `/health/ready/`, for an operator: how each part is.",
        },
    },
}
#: Its enum is that of the running service.
PROBLEM_CODE: Final = {
    "type": "string",
    "description": "Stable; what a program looks at. More may come: by one that you do not know, look at `status`. "
    "The page at `type` explains each.",
}


def _header(description: str, example: str, **schema: Any) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string", "examples": [example], **schema}}


HEADERS: Final[Mapping[str, dict[str, Any]]] = {
    "X-Request-ID": _header(
        "The id of the request: the one sent, if it was a UUID, or a new one.", REQUEST[9:], format="uuid"
    ),
    "ETag": _header("Strong tag of this state, for `If-Match` and `If-None-Match`.", '"5f2b7c0d9a1e4f3c"'),
    "RateLimit": _header("What is left of the quota, and when it is whole again, in seconds.", '"user";r=599;t=60'),
    "RateLimit-Policy": _header("The quotas that count: `q` requests in `w` seconds.", '"user";q=600;w=60'),
    "Idempotent-Replayed": {
        "description": "There, and true, where this is the stored answer to an earlier request with the same key.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "Content-Location": {
        "description": "Whose present state the body is (RFC 9110 section 8.7).",
        "schema": {"type": "string", "format": "uri-reference", "examples": ["/events/7/"]},
    },
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0, "examples": [1]}},
    "WWW-Authenticate": _header("How to sign in (RFC 6750 section 3).", 'Bearer realm="api"'),
}


LOCATION: Final = OpenApiParameter(
    "Location",
    {"type": "string", "format": "uri-reference"},
    OpenApiParameter.HEADER,
    description="Where what was made is read.",
    response=[201],
)
DISPOSITION: Final = OpenApiParameter(
    "Content-Disposition",
    str,
    OpenApiParameter.HEADER,
    description="The name of the file, where the answer is one (RFC 6266).",
    response=[200],
)


def _parameter(name: str, place: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "in": place,
        "description": description,
        "schema": schema,
        **({"required": True} if place == "path" else {}),
    }


#: No pattern: what is no list of tags is no error either, it matches nothing (RFC 9110 section 13.1.1).
TAG_LIST: Final = {"type": "string", "examples": ["*"]}
PARAMETERS: Final[Mapping[str, dict[str, Any]]] = {
    "id": _parameter(
        "id", "path", "Its id.", {"type": "integer", "format": "int64", "minimum": 1, "maximum": 2**63 - 1}
    ),
    "If-Match": _parameter(
        "If-Match", "header", "Do it only if the present `ETag` is one of these; otherwise 412.", TAG_LIST
    ),
    "If-None-Match": _parameter(
        "If-None-Match", "header", "Answer 304 without a body if the present `ETag` is one of these.", TAG_LIST
    ),
    "Idempotency-Key": _parameter(
        "Idempotency-Key",
        "header",
        "Any text of your own, new for each intent: the same key and body give the first answer again for 48 hours.",
        {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    ),
}


#: Says nothing but that the client has it already.
NOT_MODIFIED: Final[dict[str, Any]] = {
    "description": "It has not changed since.",
    "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in ("ETag", "X-Request-ID")},
}


def problem_headers(names: Iterable[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


@dataclass(frozen=True)
class SharedResponse:
    """One status as every operation gives it, with an example for each code."""

    status: int
    name: str
    codes: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        codes = self.codes or (BY_STATUS[self.status].code,)
        return {
            "description": " ".join(known()[code].sentence for code in codes),
            "headers": problem_headers(("X-Request-ID", *self.headers)),
            "content": {
                MEDIA_TYPE: {
                    "schema": {"$ref": "#/components/schemas/Problem"},
                    "examples": examples(codes, self.status),
                }
            },
        }


def examples(codes: Iterable[str], status: int) -> dict[str, Any]:
    return {code: {"value": variant(code, status).example()} for code in codes}


RESPONSES: Final[Mapping[int, SharedResponse]] = {
    each.status: each
    for each in (
        SharedResponse(400, "BadRequest", ("invalid_url", "too_many_parameters")),
        SharedResponse(401, "Unauthorized", ("not_authenticated", "token_not_valid"), ("WWW-Authenticate",)),
        SharedResponse(403, "Forbidden", ("permission_denied", "scope_missing")),
        SharedResponse(404, "NotFound"),
        SharedResponse(406, "NotAcceptable"),
        SharedResponse(409, "Conflict"),
        SharedResponse(410, "Gone"),
        SharedResponse(412, "PreconditionFailed", ("precondition_failed",)),
        SharedResponse(411, "LengthRequired"),
        SharedResponse(413, "BodyTooLarge"),
        SharedResponse(414, "URLTooLong"),
        SharedResponse(415, "UnsupportedMediaType"),
        SharedResponse(422, "IdempotencyKeyReused", ("idempotency_key_reused",)),
        SharedResponse(429, "TooManyRequests", (), ("Retry-After", "RateLimit", "RateLimit-Policy")),
        SharedResponse(503, "Unavailable", ("busy", "database_unavailable"), ("Retry-After",)),
    )
}
#: What an open operation answers to a token that is not good.
BAD_TOKEN: Final = SharedResponse(401, "BadToken", ("token_not_valid",), ("WWW-Authenticate",))
#: What an operation that asks no more than who it is answers to a key.
NO_SCOPE: Final = SharedResponse(403, "NoScope", ("scope_missing",))
#: A 400 by what an operation takes: parameters, or a body.
BAD_PARAMETER: Final = SharedResponse(400, "BadParameter", ("invalid", *RESPONSES[400].codes))
BAD_BODY: Final = SharedResponse(400, "BadBody", ("invalid", "invalid_json", *RESPONSES[400].codes))


def refusal(status: int, codes: Iterable[str], headers: Iterable[str]) -> dict[str, Any]:
    """One status of one operation; its codes are its own."""
    codes = list(dict.fromkeys(codes))
    return {
        "description": "\n".join(f"* `{code}`: {variant(code, status).sentence}" for code in codes),
        "headers": problem_headers(("X-Request-ID", *headers)),
        "content": {
            MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": examples(codes, status)}
        },
    }


def asks(value: dict[str, Any], name: str = "Request") -> OpenApiExample:
    """A body to send."""
    return OpenApiExample(name, value=value, request_only=True)


def gives(value: dict[str, Any], status: int = 200, name: str = "Answer") -> OpenApiExample:
    """A body that comes back."""
    return OpenApiExample(
        name, value=value, response_only=True, status_codes=[str(status)], media_type="application/json"
    )
