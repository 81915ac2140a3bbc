"""Endpoints that links in mails lead to: a person gets a page with a form, a program sends the same as JSON.

Opening the page changes nothing, because mail scanners open links too. The form needs no CSRF token: who could forge it
would have to know the secret token of the mail, and that one is all that counts here, not who is signed in. (Under
`no-referrer`, which keeps the secret out of Referer, browsers send `Origin: null`, as well.)
"""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from rest_framework import serializers, status
from rest_framework.parsers import BaseParser, FormParser, MultiPartParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from jointoit.api.http.parsing import StrictJSONParser
from jointoit.api.http.rendering import EmptyResponse
from jointoit.api.lists import parameters
from jointoit.api.lists.parameters import ParameterSerializer, TextParameter
from jointoit.errors import Conflict, Invalid
from jointoit.mail.links import BadToken

LONGEST = 4096  # characters


class PageRenderer(BaseRenderer):
    """Lets negotiation choose HTML. The page itself is rendered by Django; what comes here is the empty 204."""

    media_type = "text/html"
    format = "html"

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:
        return b""


class LinkParameters(ParameterSerializer):
    token = TextParameter(max_length=LONGEST)


class LinkView(APIView):
    authentication_classes = ()
    permission_classes = ()
    parser_classes: Sequence[type[BaseParser]] = (StrictJSONParser, FormParser)
    database_free: tuple[str, ...] = ("GET",)
    serializer_class: ClassVar[type[serializers.Serializer[Any]]]
    template: ClassVar[str]
    act: Callable[..., None]  # the verb that the link is for
    #: Raises what `act` would raise of the token by itself; what says nothing asks every reader.
    look: Callable[..., object] = staticmethod(lambda token: None)

    @classmethod
    def known_parameters(cls) -> frozenset[str]:
        return frozenset({"token"})

    def get_renderers(self) -> list[BaseRenderer]:
        reads = self.request.method in ("GET", "HEAD")
        return [PageRenderer()] if reads else [*super().get_renderers(), PageRenderer()]

    def get(self, request: Request) -> HttpResponse:
        """Ask, or say before anything is typed that the link is used or old."""
        token = self.token_in_address(request)
        try:
            self.look(token=token)
        except (Invalid, Conflict):
            return self.page(request, dead=True)
        return self.page(request, token=token, **self.about(token))

    def post(self, request: Request) -> HttpResponseBase:
        if not isinstance(request.data, QueryDict):
            self.act(**self.read(request.data))
            return EmptyResponse()
        given = request.data.dict()
        try:
            self.act(**self.read(given))
        except serializers.ValidationError as error:
            refusals = [str(message) for messages in error.detail.values() for message in messages]  # type: ignore[union-attr]
        except BadToken:
            return self.page(request, status.HTTP_400_BAD_REQUEST, dead=True)
        except (Invalid, Conflict) as error:
            refusals = [str(error)]
        else:
            return self.page(request, done=True)
        return self.page(request, status.HTTP_400_BAD_REQUEST, token=given.get("token", ""), refusals=refusals)

    def about(self, token: str) -> dict[str, Any]:
        """What the page says besides of the token in its address, which may be anything."""
        return {}

    def token_in_address(self, request: Request) -> str:
        return str(parameters.read(request, LinkParameters).get("token", ""))

    def read(self, data: Any) -> dict[str, str]:
        given = self.serializer_class(data=data)
        given.is_valid(raise_exception=True)
        values: dict[str, str] = given.validated_data
        return values

    def page(self, request: Request, status: int = status.HTTP_200_OK, **shown: object) -> HttpResponse:
        page = render(request._request, self.template, {"action": request.path, **shown}, status=status)
        page.is_page = True  # type: ignore[attr-defined]  # keeps the middleware from making a problem of a refusal
        page["Cache-Control"] = "no-store"
        page["Referrer-Policy"] = "no-referrer"
        return page


class OneClickView(LinkView):
    """What a List-Unsubscribe names: mail programs post a form without the token (RFC 8058 section 3.1)."""

    parser_classes = (*LinkView.parser_classes, MultiPartParser)

    def read(self, data: Any) -> dict[str, str]:
        token = self.token_in_address(self.request)
        return super().read({"token": token, **data} if token and isinstance(data, dict) else data)
