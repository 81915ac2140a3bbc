"""Entity tags and preconditions (RFC 9110 sections 8.8.3 and 13): nothing is sent twice, and no update is lost.

A tag is a digest of the bytes of the answer, so it is strong by construction: it changes with every bit that the caller
can see and with nothing else.
"""

import hashlib
from typing import Any

from django.db.models import Model
from django.http import HttpResponse
from django.utils.encoding import force_bytes
from django.utils.http import parse_etags
from rest_framework.exceptions import APIException
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from jointoit.api.http.rendering import JSONResponse

#: What a 304 repeats of the answer it stands for (RFC 9110 section 15.4.5).
REPEATED = ("Cache-Control", "Content-Location", "Date", "ETag", "Expires", "Vary")


class PreconditionFailed(APIException):
    """`If-Match` named another state than the present one. Read it again and decide anew."""

    status_code = 412
    default_code = "precondition_failed"
    default_detail = "It has changed since you read it."


class Conditional(GenericAPIView[Any]):
    """A view whose answers to GET, PUT and PATCH carry an ETag, and whose verbs can hold the caller to `If-Match`.

    The verb is given `precondition=self.precondition` and calls it with the row it has just locked: only then can
    nobody slip in between the comparison and the change.
    """

    def represent(self, obj: Any) -> Any:
        """What GET answers for `obj`, before it is rendered. Must be what the view really sends."""
        return self.get_serializer(obj).data

    def precondition(self, obj: Model) -> None:
        """Raises PreconditionFailed when `If-Match` or `If-None-Match` rule out the present state of `obj`."""
        sent = self.request.META
        wanted, unwanted = sent.get("HTTP_IF_MATCH"), sent.get("HTTP_IF_NONE_MATCH")
        if wanted is None and unwanted is None:
            return
        present = self.get_etag(obj)
        if wanted is not None and not matches(wanted, present, strongly=True):
            raise PreconditionFailed
        if unwanted is not None and matches(unwanted, present, strongly=False):
            raise PreconditionFailed

    def get_etag(self, obj: Model) -> str:
        request = self.request
        content = request.accepted_renderer.render(
            self.represent(obj), request.accepted_media_type, self.get_renderer_context()
        )
        return etag_of(force_bytes(content))

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        final: Any = super().finalize_response(request, response, *args, **kwargs)
        if final.status_code != 200 or request.method == "POST":
            return final
        if isinstance(final, Response):
            final.add_post_render_callback(lambda rendered: tag(request, rendered))
        return tag(request, final) if isinstance(final, JSONResponse) else final


def tag(request: Request, response: HttpResponse) -> HttpResponse:
    """Add the ETag; answer 304 to a GET or HEAD whose `If-None-Match` has it."""
    response["ETag"] = etag_of(response.content)
    if request.method not in ("GET", "HEAD"):
        # RFC 9110 section 8.7: says that the body, and so the tag, is that of the resource as it is now.
        response["Content-Location"] = request.path
        return response
    known = request.META.get("HTTP_IF_NONE_MATCH")
    if known is not None and matches(known, response["ETag"], strongly=False):
        return not_modified(response)
    return response


def not_modified(response: HttpResponse) -> HttpResponse:
    kept = {name: response[name] for name in REPEATED if name in response}
    answer = HttpResponse(status=304, headers=kept)
    del answer["Content-Type"]
    return answer


def etag_of(content: bytes) -> str:
    return f'"{hashlib.blake2b(content, digest_size=16).hexdigest()}"'


def matches(header: str, etag: str, *, strongly: bool) -> bool:
    """Whether a list of tags, or `*`, has `etag`; what is no tag matches nothing (RFC 9110 section 8.8.3.2)."""
    listed = parse_etags(header)
    if not strongly:
        listed = [each.removeprefix("W/") for each in listed]
    return listed == ["*"] or etag in listed
