"""Which status, code and sentence an exception becomes: one function for each kind of exception.

How an exception says more than its class does:

* a `DomainError` by its `code`, `message` and `facts`, which become members of the problem;
* an `APIException` of this project by `default_code`, `default_detail` and, where it has them, `headers` and `members`.

Where no function knows the exception, the answer is None: a fault of ours.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import singledispatch
from typing import Final

import structlog
from django.core import exceptions as django
from django.db import DataError, IntegrityError, InterfaceError, InternalError, OperationalError
from django.db.models import UniqueConstraint
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from rest_framework import exceptions as drf
from rest_framework.fields import get_error_detail
from rest_framework.request import Request

from jointoit.api import database
from jointoit.api.problems import validation
from jointoit.api.problems.catalogue import BY_STATUS, INVALID_DETAIL, ProblemType, known, status_of, written
from jointoit.errors import DomainError, Invalid, NotFound, Unauthenticated, Unavailable

log = structlog.get_logger(__name__)
DATABASE_RETRY_AFTER: Final = "5"  # seconds
AnyRequest = HttpRequest | Request


@dataclass(frozen=True)
class Answer:
    """A problem before it is written."""

    status: int
    code: str
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)
    members: Mapping[str, object] = field(default_factory=dict)

    def write(self, request: AnyRequest) -> HttpResponse:
        return written(request, ProblemType(self.code, self.status, self.detail), self.headers, self.members)


def standard(status: int, detail: str = "", **headers: str) -> Answer:
    kind = BY_STATUS[status]
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, kind.code, detail or kind.sentence, named)


def challenge(request: AnyRequest) -> dict[str, str]:
    """RFC 6750 section 3: a token that was sent and not accepted is told apart from none at all."""
    sent = "Authorization" in request.headers
    return {"WWW-Authenticate": 'Bearer realm="api"' + (', error="invalid_token"' if sent else "")}


def invalid(entries: list[dict[str, str]], code: str = "invalid", detail: str = INVALID_DETAIL) -> Answer:
    return Answer(400, code, detail, members={"errors": entries})


def reads(request: AnyRequest) -> bool:
    """Whether wrong values can only have come by the query."""
    return request.method in ("GET", "HEAD")


@singledispatch
def answer(exc: Exception, request: AnyRequest) -> Answer | None:
    return None


# ── Rules that refuse ─────────────────────────────────────────────────────────────────────────────────────────────────


@answer.register
def _(exc: DomainError, request: AnyRequest) -> Answer:
    status = status_of(type(exc))
    return Answer(status, getattr(exc, "code", BY_STATUS[status].code), str(exc), members=exc.facts)


@answer.register
def _(exc: Invalid, request: AnyRequest) -> Answer:
    code, path = getattr(exc, "code", "invalid"), (exc.field,) if exc.field else ()
    entry = validation.entry(path, code, str(exc), as_parameters=reads(request))
    return Answer(400, code, str(exc), members={**exc.facts, "errors": [entry]})


@answer.register
def _(exc: Unauthenticated, request: AnyRequest) -> Answer:
    code = getattr(exc, "code", "authentication_failed")
    return Answer(401, code, str(exc), challenge(request), exc.facts)


@answer.register
def _(exc: Unavailable, request: AnyRequest) -> Answer:
    return Answer(503, getattr(exc, "code", "busy"), str(exc), {"Retry-After": str(exc.retry_after)}, exc.facts)


# ── What is not there: one answer, whatever is missing or hidden ──────────────────────────────────────────────────────


@answer.register(NotFound)
@answer.register(Http404)
@answer.register(drf.NotFound)
def _(exc: Exception, request: AnyRequest) -> Answer:
    return standard(404)


# ── REST framework ────────────────────────────────────────────────────────────────────────────────────────────────────


@answer.register
def _(exc: drf.APIException, request: AnyRequest) -> Answer:
    kind = known().get(str(exc.get_codes())) or BY_STATUS.get(
        exc.status_code, BY_STATUS[500 if exc.status_code >= 500 else 400]
    )
    detail = str(exc.detail) if isinstance(exc.detail, str) else kind.sentence
    return Answer(exc.status_code, kind.code, detail, getattr(exc, "headers", {}), getattr(exc, "members", {}))


@answer.register
def _(exc: drf.ValidationError, request: AnyRequest) -> Answer:
    return invalid(validation.entries(exc.detail, as_parameters=reads(request)))


@answer.register
def _(exc: drf.ParseError, request: AnyRequest) -> Answer:
    return Answer(400, "bad_request", BY_STATUS[400].sentence)


@answer.register
def _(exc: drf.NotAuthenticated, request: AnyRequest) -> Answer:
    return Answer(401, "not_authenticated", BY_STATUS[401].sentence, challenge(request))


@answer.register
def _(exc: drf.AuthenticationFailed, request: AnyRequest) -> Answer:
    detail = exc.detail if isinstance(exc.detail, dict) else {"detail": exc.detail, "code": exc.get_codes()}
    code = str(detail.get("code"))
    code = code if code in known() else "authentication_failed"
    return Answer(401, code, str(detail.get("detail", known()[code].sentence)), challenge(request))


@answer.register
def _(exc: drf.PermissionDenied, request: AnyRequest) -> Answer:
    code, own = str(exc.get_codes()), str(exc.detail) != str(drf.PermissionDenied.default_detail)
    detail = str(exc.detail) if own else BY_STATUS[403].sentence
    return Answer(403, code if code in known() else "permission_denied", detail)


@answer.register
def _(exc: drf.MethodNotAllowed, request: AnyRequest) -> Answer:
    return standard(405)  # REST framework adds Allow


@answer.register
def _(exc: drf.NotAcceptable, request: AnyRequest) -> Answer:
    offered = dict.fromkeys(str(renderer.media_type) for renderer in exc.available_renderers or ())
    return standard(406, f"This address answers in {', '.join(offered)}." if offered else "")


@answer.register
def _(exc: drf.UnsupportedMediaType, request: AnyRequest) -> Answer:
    # RFC 9110 sections 12.5.1 and 12.5.3: with a 415, the two headers tell what a request may be sent in.
    return standard(415, Accept="application/json", Accept_Encoding="identity")


@answer.register
def _(exc: drf.Throttled, request: AnyRequest) -> Answer:
    seconds = max(1, math.ceil(getattr(exc, "wait", None) or 1))
    found = standard(429, f"Too many requests; try again in {seconds} s.", Retry_After=str(seconds))
    return Answer(found.status, found.code, found.detail, {**found.headers, **getattr(exc, "headers", {})})


# ── Django ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@answer.register
def _(exc: django.ValidationError, request: AnyRequest) -> Answer:
    return invalid(validation.entries(get_error_detail(exc), as_parameters=reads(request)))


@answer.register
def _(exc: django.PermissionDenied, request: AnyRequest) -> Answer:
    return standard(403)


@answer.register(django.BadRequest)
@answer.register(django.SuspiciousOperation)
@answer.register(MultiPartParserError)
def _(exc: Exception, request: AnyRequest) -> Answer:
    return standard(400)


@answer.register
def _(exc: django.DisallowedHost, request: AnyRequest) -> Answer:
    return Answer(400, "bad_host", known()["bad_host"].sentence)


@answer.register
def _(exc: django.RequestDataTooBig, request: AnyRequest) -> Answer:
    return standard(413)


@answer.register
def _(exc: django.TooManyFieldsSent, request: AnyRequest) -> Answer:
    return Answer(400, "too_many_parameters", known()["too_many_parameters"].sentence)


# ── PostgreSQL ────────────────────────────────────────────────────────────────────────────────────────────────────────


@answer.register(OperationalError)
@answer.register(InterfaceError)
def _(exc: OperationalError | InterfaceError, request: AnyRequest) -> Answer:
    busy = database.is_busy(exc)
    log.warning("database_busy" if busy else "database_unavailable", sqlstate=database.sqlstate(exc))
    if busy:
        return standard(503, Retry_After="1")
    kind = known()["database_unavailable"]
    return Answer(503, kind.code, kind.sentence, {"Retry-After": DATABASE_RETRY_AFTER})


@answer.register
def _(exc: InternalError, request: AnyRequest) -> Answer | None:
    """After a failover the old connection may reach a server that only reads."""
    if database.sqlstate(exc) != database.READ_ONLY:
        return None
    kind = known()["database_unavailable"]
    return Answer(503, kind.code, kind.sentence, {"Retry-After": DATABASE_RETRY_AFTER})


@answer.register
def _(exc: IntegrityError, request: AnyRequest) -> Answer | None:
    """The last wall held. Answer as the rule before it would have; a constraint nobody knows is a fault of ours."""
    constraint = database.violated(exc)
    if constraint is None:
        is_reference = database.sqlstate(exc) == database.FOREIGN_KEY_VIOLATION
        return (
            standard(409, "Something that this refers to is gone, or is still referred to.") if is_reference else None
        )
    name, code = database.only_field(constraint), constraint.violation_error_code or "invalid"
    message = str(constraint.violation_error_message)
    if isinstance(constraint, UniqueConstraint) and name is None:
        return standard(409, message)
    return invalid([validation.entry((name,) if name else (), code, message, as_parameters=False)])


@answer.register
def _(exc: DataError, request: AnyRequest) -> Answer:
    """A value got past the wall and did not fit its column: the client's 400, and ours to mend."""
    log.error("value_does_not_fit", sqlstate=database.sqlstate(exc), exc_info=exc)
    return standard(400)
