"""Asking twice is asking once: the answer to a POST is kept under the client's `Idempotency-Key`.

The row of the key and the effect of the request are one transaction. Either both exist or neither, whatever dies when:
there is no key that is stuck and no effect without its answer. Who comes with the same key meanwhile waits on the
unique index for that transaction to end. Lock order: idempotency key, then event.
"""

import hashlib
import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import UUID

from django.db import OperationalError, connection, transaction
from django.http import HttpResponse
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from jointoit.api import database
from jointoit.api.models import IdempotencyKey
from jointoit.api.problems.validation import InvalidParameter
from jointoit.errors import Conflict

if TYPE_CHECKING:  # REST framework's views import this module through the settings
    from rest_framework.views import APIView

HEADER = "Idempotency-Key"
VISIBLE = re.compile("[!-~]{1,255}")
KEPT = timedelta(hours=48)
#: What is kept of an answer besides its status and bytes.
KEPT_HEADERS = ("Content-Type", "Location", "Cache-Control")

CLAIM = """
INSERT INTO api_idempotencykey (scope, caller, fingerprint) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING
"""

Handler = TypeVar("Handler", bound=Callable[..., HttpResponse])


class IdempotencyKeyReused(APIException):
    """A key belongs to one body: take a new key for another request."""

    status_code = 422
    default_code = "idempotency_key_reused"
    default_detail = "This Idempotency-Key was used with another body."
    remedy = "Take a new key for another request."


class RequestInProgress(APIException):
    """The answer is kept: ask again with the same key to get it."""

    status_code = 409
    default_code = "request_in_progress"
    default_detail = "The first request with this Idempotency-Key is still running."
    remedy = "Ask again with the same key after `Retry-After` seconds: the answer is kept."
    headers = {"Retry-After": "1"}


def idempotent(handler: Handler) -> Handler:
    """Let a view's `post` honour `Idempotency-Key`.

    Answers 2xx and the 409 of a Conflict are kept for 48 hours; every other one leaves no trace of the request, and the
    key stays free. A view that `defers_account_check` to its verb has a method `confirm_account`: it is called before a
    kept answer is given out, which no verb has a say in. Raises InvalidParameter, IdempotencyKeyReused,
    RequestInProgress.
    """

    @wraps(handler)
    def once(view: "APIView", request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        key, body = read_key(request), request.data  # a body that cannot be read is refused whatever comes of the rest
        if key is None or not request.user.is_authenticated:
            return handler(view, request, *args, **kwargs)
        scope, fingerprint = scope_of(request, key), fingerprint_of(body)
        with transaction.atomic():
            if not claim(scope, request.user.pk, fingerprint):
                getattr(view, "confirm_account", bool)()
                return replay(scope, fingerprint)
            response = decide(view, request, lambda: handler(view, request, *args, **kwargs))
            if is_kept(response):
                keep(scope, response)
            else:
                transaction.set_rollback(True)
        return response

    once.is_idempotent = True  # type: ignore[attr-defined]  # read by jointoit.api.openapi.schema
    return cast(Handler, once)


def read_key(request: Request) -> str | None:
    key = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is not None and not VISIBLE.fullmatch(key):
        raise InvalidParameter(HEADER, "From 1 to 255 visible ASCII characters.", code="invalid")
    return key


def scope_of(request: Request, key: str) -> UUID:
    return UUID(bytes=digest([request.user.pk, request.method, request.path, key], size=16))


def fingerprint_of(body: Any) -> str:
    """A digest of the body that is the same for every way to write it: spaces and the order of members do not count."""
    return digest(body or None, size=32).hex()


def digest(value: Any, *, size: int) -> bytes:
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.blake2b(canonical.encode(), digest_size=size).digest()


def claim(scope: UUID, caller: int, fingerprint: str) -> bool:
    """Whether this request is the first. Waits for one that runs, as long as `lock_timeout` lets it."""
    with connection.cursor() as cursor:
        try:
            cursor.execute(CLAIM, [scope, caller, fingerprint])
        except OperationalError as error:
            if database.is_busy(error):
                raise RequestInProgress from error
            raise
        return bool(cursor.rowcount)


def decide(view: "APIView", request: Request, work: Callable[[], HttpResponse]) -> HttpResponse:
    """Do the work. A Conflict undoes the work but not the key, whose answer it is."""
    try:
        with transaction.atomic():
            return work()
    except Conflict as conflict:
        return cast(HttpResponse, view.handle_exception(conflict))


def is_kept(response: HttpResponse) -> bool:
    return 200 <= response.status_code < 300 or response.status_code == 409


def keep(scope: UUID, response: HttpResponse) -> None:
    headers = {name: response[name] for name in KEPT_HEADERS if name in response}
    IdempotencyKey.objects.filter(pk=scope).update(status=response.status_code, headers=headers, body=response.content)


def replay(scope: UUID, fingerprint: str) -> HttpResponse:
    kept = IdempotencyKey.objects.filter(pk=scope).first()
    if kept is None or kept.headers is None:  # pruned since the claim
        raise RequestInProgress
    if kept.fingerprint != fingerprint:
        raise IdempotencyKeyReused
    return HttpResponse(kept.body, status=kept.status, headers={**kept.headers, "Idempotent-Replayed": "true"})


def prune(now: datetime, batch: int) -> int:
    """Delete up to `batch` keys older than 48 hours; the number deleted."""
    old = IdempotencyKey.objects.filter(created_at__lt=now - KEPT).order_by("created_at")
    return IdempotencyKey.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:batch])).delete()[0]
