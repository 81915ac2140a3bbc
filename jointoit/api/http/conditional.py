"""Entity tags and preconditions (RFC 9110 sections 8.8.3 and 13): nothing is sent twice, and no update is lost.

A tag is a digest of the bytes of the answer, so it is strong by construction: it changes with every bit that the caller
can see and with nothing else.
"""

import hashlib
from typing import Any, ClassVar

from django.db.models import Model
from django.http import HttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import parse_etags
from rest_framework.exceptions import APIException
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request

from jointoit.api.http.rendering import to_json


class PreconditionFailed(APIException):
    """`If-Match` named another state than the present one. Read it again and decide anew."""

    status_code = 412
    default_code = "precondition_failed"
    default_detail = "It has changed since you read it."
    remedy = "Read it again and decide anew; then send the `ETag` that it has now."


class Conditional(GenericAPIView[Any]):
    """A view whose answers to GET, PUT and PATCH carry an ETag, and whose verbs can hold the caller to `If-Match`.

    The verb is given `precondition=self.precondition` and calls it with the row it has just locked: only then can
    nobody slip in between the comparison and the change.
    """

    changes_by_post: ClassVar[bool] = False  # POST is a step of what is read one segment further up

    def represent(self, obj: Any) -> Any:
        """What GET answers for `obj`, before it is written as JSON. Must be what the view really sends."""
        return self.get_serializer(obj).data

    def precondition(self, obj: Model) -> None:
        """Raises PreconditionFailed when `If-Match` or `If-None-Match` rule out the present state of `obj`."""
        request = self.request._request
        if "HTTP_IF_MATCH" in request.META or "HTTP_IF_NONE_MATCH" in request.META:
            check(request, etag_of(to_json(self.represent(obj))))

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        final: HttpResponse = super().finalize_response(request, response, *args, **kwargs)
        if final.streaming or final.status_code not in (200, 201):
            return final
        if request.method == "POST" and final.status_code == 200 and not self.changes_by_post:
            return final
        return tag(request, final, path=self.changed_path)

    @property
    def changed_path(self) -> str:
        """Where what was changed is read."""
        path = self.request.path
        return path.rstrip("/").rpartition("/")[0] + "/" if self.changes_by_post else path


def check(request: Any, etag: str) -> None:
    """Raises PreconditionFailed where the request's conditions do not hold for a state with this tag.

    An `If-Match` that names no tag matches none; Django alone would take it for one that is not there.
    """
    wanted = request.META.get("HTTP_IF_MATCH")
    refused = get_conditional_response(request, etag=etag)
    if (wanted is not None and not parse_etags(wanted)) or (refused is not None and refused.status_code == 412):
        raise PreconditionFailed


def tag(request: Request, response: HttpResponse, *, path: str) -> HttpResponse:
    """Add the ETag; answer 304 to a GET or HEAD whose `If-None-Match` has it."""
    response["ETag"] = etag_of(response.content)
    if response.status_code == 201:
        return response  # of what Location names (RFC 9110 section 15.3.2)
    if request.method not in ("GET", "HEAD"):
        # RFC 9110 section 8.7: says that the body, and so the tag, is that of the resource as it is now.
        response["Content-Location"] = path
        return response
    if "HTTP_IF_NONE_MATCH" not in request.META:
        return response
    unchanged: Any = get_conditional_response(request._request, etag=response["ETag"], response=response)
    return unchanged if unchanged.status_code == 304 else response


def etag_of(content: bytes) -> str:
    return f'"{hashlib.blake2b(content, digest_size=16).hexdigest()}"'
