"""The OpenAPI document as a file, and two pages that show it; nothing of them comes from another server."""

from collections.abc import Callable
from functools import cache
from threading import Lock
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.encoding import force_bytes
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerSplitView
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from jointoit.api.http.conditional import etag_of

making = Lock()


def document_in(renderer: Callable[[], BaseRenderer]) -> tuple[bytes, str]:
    """The document in one media type, and its entity tag. Made by one thread: drf-spectacular fails in two at once."""
    with making:
        return made_once(renderer)


@cache
def made_once(renderer: Callable[[], BaseRenderer]) -> tuple[bytes, str]:
    """It changes with the code alone."""
    document = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    content = force_bytes(renderer().render(document, renderer_context={}))
    return content, etag_of(content)


class SchemaView(SpectacularAPIView):
    authentication_classes = ()
    throttle_classes = ()

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        renderer: Callable[[], BaseRenderer] = type(request.accepted_renderer)
        content, etag = document_in(renderer)
        name = f'inline; filename="openapi.{request.accepted_renderer.format}"'
        headers = {"ETag": etag, "Content-Disposition": name}
        response = HttpResponse(content, request.accepted_renderer.media_type, headers=headers)
        return get_conditional_response(request._request, etag=etag, response=response) or response


class SwaggerView(SpectacularSwaggerSplitView):
    authentication_classes = ()
    throttle_classes = ()
    template_name = "api/swagger.html"


class RedocView(SpectacularRedocView):
    authentication_classes = ()
    throttle_classes = ()
    template_name = "api/redoc.html"
