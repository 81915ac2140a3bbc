"""Which status, code and sentence an exception becomes: one function for each kind of exception.

How an exception says more than its class does:

* a `DomainError` by its `code`, `message` and `facts`, which become members of the problem;
* an `APIException` of this project by `default_code`, `default_detail` and, where it has them, `headers` and `members`.

Where no function knows the exception, there is no problem to tell: it is a fault of ours.
"""

import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import singledispatch
from typing import Final

import orjson
import structlog
from django.core import exceptions as django
from django.db import (
    DataError,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
)
from django.db.models import UniqueConstraint
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from rest_framework import exceptions as drf
from rest_framework.fields import get_error_detail
from rest_framework.request import Request

from jointoit.api import database
from jointoit.api.problems import validation
from jointoit.api.problems.catalogue import known, status_of
from jointoit.api.problems.kinds import BY_STATUS, INVALID_DETAIL, MEDIA_TYPE, ProblemType
from jointoit.errors import DomainError, Invalid, ManyInvalid, NotFound, TooOften, Unauthenticated, Unavailable
from jointoit.process import release

log = structlog.get_logger(__name__)
DATABASE_RETRY_AFTER: Final = {"Retry-After": "5"}  # seconds
AnyRequest = HttpRequest | Request
BAD_BEARER: Final = (
    'error="invalid_token", error_description="The token has expired or is not valid: ask for a new one, or send none"'
)


@dataclass(frozen=True)
class Problem:
    """A problem before it is written. `members` never replace one that RFC 9457 defines."""

    status: int
    code: str
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)
    members: Mapping[str, object] = field(default_factory=dict)

    def response(self, request: AnyRequest) -> HttpResponse:
        kind = ProblemType(self.code, self.status, self.detail)
        body = {
            "type": kind.uri,
            "title": kind.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "instance": f"urn:uuid:{getattr(request, 'request_id', None) or uuid.uuid4()}",
        }
        content = orjson.dumps({**body, **self.members, **body}, default=str)
        return HttpResponse(content, MEDIA_TYPE, self.status, headers={"Cache-Control": "no-store", **self.headers})


def known_problem(code: str, detail: str = "", **headers: str) -> Problem:
    """One of the catalogue, with its own sentence unless told. `Retry_After` stands for the header Retry-After."""
    kind, named = known()[code], {name.replace("_", "-"): value for name, value in headers.items()}
    return Problem(kind.status, code, detail or kind.sentence, named)


def problem_for_status(status: int, detail: str = "", **headers: str) -> Problem:
    """What there is to say where nothing more is known."""
    return known_problem(BY_STATUS[status].code, detail, **headers)


def challenge(request: AnyRequest) -> dict[str, str]:
    """RFC 6750 section 3: a token that was sent and not accepted is told apart from none at all."""
    sent = "Authorization" in request.headers
    return {"WWW-Authenticate": f'Bearer realm="api", {BAD_BEARER}' if sent else 'Bearer realm="api"'}


def invalid(entries: list[dict[str, str]], code: str = "invalid", detail: str = INVALID_DETAIL) -> Problem:
    return Problem(400, code, detail, members={"errors": entries})


def reads(request: AnyRequest) -> bool:
    """Whether wrong values can only have come by the query."""
    return request.method in ("GET", "HEAD")


@singledispatch
def problem_of(exc: Exception, request: AnyRequest) -> Problem | None:
    return None


#: Exceptions that say no more than their kind. What is not there has one answer, whether it is missing or hidden.
SAY_ONLY_THEIR_KIND: Final[Mapping[type[Exception], str]] = {
    NotFound: "not_found",
    Http404: "not_found",
    drf.NotFound: "not_found",
    drf.MethodNotAllowed: "method_not_allowed",  # REST framework adds Allow
    drf.ParseError: "bad_request",
    django.BadRequest: "bad_request",
    django.SuspiciousOperation: "bad_request",
    MultiPartParserError: "bad_request",
    django.PermissionDenied: "permission_denied",
    django.DisallowedHost: "bad_host",
    django.RequestDataTooBig: "body_too_large",
    django.TooManyFieldsSent: "too_many_parameters",
}
for kind, code in SAY_ONLY_THEIR_KIND.items():
    problem_of.register(kind, lambda exc, request, code=code: known_problem(code))


# ── Rules that refuse ─────────────────────────────────────────────────────────────────────────────────────────────────


@problem_of.register
def _(exc: DomainError, request: AnyRequest) -> Problem:
    status = status_of(type(exc))
    return Problem(status, getattr(exc, "code", "") or BY_STATUS[status].code, str(exc), members=exc.facts)


@problem_of.register
def _(exc: Invalid, request: AnyRequest) -> Problem:
    return Problem(
        400, getattr(exc, "code", "invalid"), str(exc), members={**exc.facts, "errors": [entry_of(exc, request)]}
    )


@problem_of.register
def _(exc: ManyInvalid, request: AnyRequest) -> Problem:
    return invalid([entry_of(error, request) for error in exc.errors])


def entry_of(exc: Invalid, request: AnyRequest) -> dict[str, str]:
    path = exc.field if isinstance(exc.field, tuple) else (exc.field,) if exc.field else ()
    return validation.entry(path, getattr(exc, "code", "invalid"), str(exc), as_parameters=reads(request))


@problem_of.register
def _(exc: TooOften, request: AnyRequest) -> Problem:
    return known_problem("throttled", str(exc), Retry_After=str(exc.retry_after))


@problem_of.register
def _(exc: Unauthenticated, request: AnyRequest) -> Problem:
    code = getattr(exc, "code", "authentication_failed")
    return Problem(401, code, str(exc), challenge(request), exc.facts)


@problem_of.register
def _(exc: Unavailable, request: AnyRequest) -> Problem:
    return Problem(503, getattr(exc, "code", "busy"), str(exc), {"Retry-After": str(exc.retry_after)}, exc.facts)


# ── REST framework ────────────────────────────────────────────────────────────────────────────────────────────────────


@problem_of.register
def _(exc: drf.APIException, request: AnyRequest) -> Problem:
    kind = known().get(str(exc.get_codes())) or BY_STATUS.get(
        exc.status_code, BY_STATUS[500 if exc.status_code >= 500 else 400]
    )
    detail = str(exc.detail) if isinstance(exc.detail, str) else kind.sentence
    return Problem(exc.status_code, kind.code, detail, getattr(exc, "headers", {}), getattr(exc, "members", {}))


@problem_of.register
def _(exc: drf.ValidationError, request: AnyRequest) -> Problem:
    return invalid(validation.entries(exc.detail, as_parameters=reads(request)))


@problem_of.register
def _(exc: drf.NotAuthenticated, request: AnyRequest) -> Problem:
    return Problem(401, "not_authenticated", BY_STATUS[401].sentence, challenge(request))


@problem_of.register
def _(exc: drf.AuthenticationFailed, request: AnyRequest) -> Problem:
    detail = exc.detail if isinstance(exc.detail, dict) else {"detail": exc.detail, "code": exc.get_codes()}
    kind = known().get(str(detail.get("code"))) or known()["authentication_failed"]
    return Problem(401, kind.code, str(detail.get("detail", kind.sentence)), challenge(request))


@problem_of.register
def _(exc: drf.PermissionDenied, request: AnyRequest) -> Problem:
    code, own = str(exc.get_codes()), str(exc.detail) != str(drf.PermissionDenied.default_detail)
    detail = str(exc.detail) if own else BY_STATUS[403].sentence
    return Problem(403, code if code in known() else "permission_denied", detail)


@problem_of.register
def _(exc: drf.NotAcceptable, request: AnyRequest) -> Problem:
    offered = dict.fromkeys(str(renderer.media_type) for renderer in exc.available_renderers or ())
    return problem_for_status(406, f"This address answers in {', '.join(offered)}." if offered else "")


@problem_of.register
def _(exc: drf.UnsupportedMediaType, request: AnyRequest) -> Problem:
    # RFC 9110 sections 12.5.1 and 12.5.3: with a 415, the two headers tell what a request may be sent in.
    return problem_for_status(415, Accept="application/json", Accept_Encoding="identity")


@problem_of.register
def _(exc: drf.Throttled, request: AnyRequest) -> Problem:
    seconds = max(1, math.ceil(getattr(exc, "wait", None) or 1))
    found = problem_for_status(429, f"Too many requests; try again in {seconds} s.", Retry_After=str(seconds))
    return replace(found, headers={**found.headers, **getattr(exc, "headers", {})})


# ── Django ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@problem_of.register
def _(exc: django.ValidationError, request: AnyRequest) -> Problem:
    return invalid(validation.entries(get_error_detail(exc), as_parameters=reads(request)))


# ── PostgreSQL ────────────────────────────────────────────────────────────────────────────────────────────────────────


def database_unavailable(**members: object) -> Problem:
    return replace(known_problem("database_unavailable"), headers=DATABASE_RETRY_AFTER, members=members)


@problem_of.register(OperationalError)
@problem_of.register(InterfaceError)
def _(exc: OperationalError | InterfaceError, request: AnyRequest) -> Problem:
    busy = database.is_busy(exc)
    name, said = "database_busy" if busy else "database_unavailable", database.what_happened(exc)
    hint = "Look for what holds locks for long." if busy else "Look at the database, and at DATABASE_URL."
    log.warning(name, sqlstate=database.sqlstate(exc), host=database.host(), error=said, hint=hint)
    if busy:
        return problem_for_status(503, Retry_After="1")
    return database_unavailable()


@problem_of.register
def _(exc: InternalError, request: AnyRequest) -> Problem | None:
    """After a failover the old connection may reach a server that only reads."""
    if database.sqlstate(exc) != database.READ_ONLY:
        return None
    return database_unavailable()


@problem_of.register
def _(exc: ProgrammingError, request: AnyRequest) -> Problem | None:
    """Tables that the release step has yet to make are away for now; with all of them there it is a fault of ours."""
    if database.sqlstate(exc) not in database.NOT_THERE or not release.missing():
        return None
    log.warning("database_before_release", error=database.what_happened(exc), hint="Run `python -m jointoit release`.")
    return database_unavailable()


@problem_of.register
def _(exc: NotSupportedError, request: AnyRequest) -> Problem | None:
    """A migration changed a column under a plan that a transaction had kept: the next one plans anew."""
    return problem_for_status(503, Retry_After="1") if database.sqlstate(exc) == database.OUTDATED_PLAN else None


@problem_of.register
def _(exc: IntegrityError, request: AnyRequest) -> Problem | None:
    """A constraint held. Answer as the rule before it would have; a constraint nobody knows is a fault of ours."""
    constraint = database.violated(exc)
    if constraint is None:
        is_reference = database.sqlstate(exc) == database.FOREIGN_KEY_VIOLATION
        return (
            problem_for_status(409, "Something that this refers to is gone, or is still referred to.")
            if is_reference
            else None
        )
    name, code = database.only_field(constraint), constraint.violation_error_code or "invalid"
    message = str(constraint.violation_error_message)
    if isinstance(constraint, UniqueConstraint) and name is None:
        return problem_for_status(409, message)
    return invalid([validation.entry((name,) if name else (), code, message, as_parameters=False)])


@problem_of.register
def _(exc: DataError, request: AnyRequest) -> Problem:
    """A value got past the fields and did not fit its column: the client's 400, and ours to mend."""
    log.error(
        "value_does_not_fit",
        sqlstate=database.sqlstate(exc),
        exc_info=exc,
        hint="A fault of the service: a field lets through what its column cannot hold. Report the traceback.",
    )
    return problem_for_status(400)
