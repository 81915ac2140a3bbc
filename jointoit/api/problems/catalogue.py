"""Which problems exist (RFC 9457).

Each has a stable code, a status, and a page that the service itself serves at `/problems/<code>/`. The list below holds
those of HTTP and of this toolkit; every `DomainError` and every `APIException` of this project adds itself by being
defined.
"""

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TypeVar

from django.conf import settings
from rest_framework.exceptions import APIException

from jointoit.errors import (
    Conflict,
    DomainError,
    Forbidden,
    Gone,
    Invalid,
    ManyInvalid,
    NotFound,
    Reused,
    TooOften,
    Unauthenticated,
    Unavailable,
)

E = TypeVar("E", bound=Exception)

MEDIA_TYPE = "application/problem+json"
INVALID_DETAIL = "Some values are not valid; the member errors names each."

STATUS_OF_KIND: Mapping[type[DomainError], int] = {
    Invalid: 400,
    ManyInvalid: 400,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    TooOften: 429,
    Gone: 410,
    Reused: 422,
    Unavailable: 503,
    DomainError: 409,
}


@dataclass(frozen=True)
class ProblemType:
    """`sentence` is what a client usually reads in `detail`; `explanation` tells more on the page."""

    code: str
    status: int
    sentence: str
    explanation: str = ""

    @property
    def title(self) -> str:
        return title_of(self.code)

    @property
    def uri(self) -> str:
        return f"{settings.PUBLIC_URL}/problems/{self.code}/"


@cache
def title_of(code: str) -> str:
    words = code.replace("_", " ").capitalize()
    return re.sub(r"\b(json|url)\b", lambda found: found[0].upper(), words, flags=re.IGNORECASE)


OF_THE_TOOLKIT = (
    ProblemType("bad_request", 400, "The request is not one that HTTP or this service knows how to read."),
    ProblemType("bad_host", 400, "The Host header names a server that this service does not answer for."),
    ProblemType("invalid", 400, INVALID_DETAIL),
    ProblemType("invalid_json", 400, "The body is not the JSON that is asked for."),
    ProblemType("invalid_url", 400, "The query has a NUL character or bytes that are not UTF-8."),
    ProblemType("incomplete_message", 400, "The message ended before its body did, and was not carried out."),
    ProblemType("too_many_parameters", 400, "The query has more parameters than the service reads."),
    ProblemType("not_authenticated", 401, "Sign in: send an access token, as Authorization: Bearer and the token."),
    ProblemType("authentication_failed", 401, "The token or the credentials were not accepted."),
    ProblemType("permission_denied", 403, "You may see this, but you may not do it."),
    ProblemType(
        "not_found", 404, NotFound.message, "It does not exist, or it is hidden from you; the two look the same."
    ),
    ProblemType("method_not_allowed", 405, "This address does not know the method; Allow names those that it knows."),
    ProblemType("not_acceptable", 406, "The answer cannot be given in any media type that Accept names."),
    ProblemType("conflict", 409, "The state of things does not allow this step."),
    ProblemType("gone", 410, "It was here once, and will not be again."),
    ProblemType(
        "length_required",
        411,
        "Send a Content-Length.",
        "A body in chunks is not taken, because where it was cut off cannot be seen; a proxy that reads the whole "
        "request before it hands it on gives it a length.",
    ),
    ProblemType("body_too_large", 413, "The body is larger than the service reads."),
    ProblemType("url_too_long", 414, "The address with its query is longer than the service reads."),
    ProblemType("unsupported_media_type", 415, "Bodies are JSON in UTF-8, sent as application/json, not compressed."),
    ProblemType("throttled", 429, "Too many requests; wait as long as Retry-After says."),
    ProblemType("internal_error", 500, "A fault of the service. It is logged under the id of the request."),
    ProblemType("busy", 503, "Others were first to what this request needs; try again in a moment."),
    ProblemType("database_unavailable", 503, "The database is away; try again in a moment."),
)
#: The first of each status: what to say when nothing more is known.
BY_STATUS: Mapping[int, ProblemType] = {kind.status: kind for kind in reversed(OF_THE_TOOLKIT)}


def status_of(error: type[DomainError]) -> int:
    return next(status for kind, status in STATUS_OF_KIND.items() if issubclass(error, kind))


def descendants(root: type[E]) -> Iterator[type[E]]:
    for child in root.__subclasses__():
        yield child
        yield from descendants(child)


def explanation(error: type) -> str:
    """What the class says of itself, not what it inherits."""
    return inspect.cleandoc(vars(error).get("__doc__") or "")


def known() -> Mapping[str, ProblemType]:
    """Every problem of the running service by its code, those of the toolkit first."""
    return catalogue(tuple(descendants(DomainError)), tuple(descendants(APIException)))


@lru_cache(maxsize=4)
def catalogue(
    rules: tuple[type[DomainError], ...], errors: tuple[type[APIException], ...]
) -> Mapping[str, ProblemType]:
    """Made once for the classes that there are: a module that is loaded later may define more."""
    types = {kind.code: kind for kind in OF_THE_TOOLKIT}
    for rule in rules:
        if code := getattr(rule, "code", None):
            kind = ProblemType(code, status_of(rule), getattr(rule, "message", ""), explanation(rule))
            types.setdefault(code, kind)
    for error in errors:
        if error.__module__.startswith("jointoit."):
            code = str(error.default_code)
            kind = ProblemType(code, error.status_code, str(error.default_detail), explanation(error))
            types.setdefault(code, kind)
    return types
