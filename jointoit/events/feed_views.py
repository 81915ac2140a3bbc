"""What happened, for programs: page after page, as often as they like."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpResponse
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request

from jointoit.accounts.authentication import caller_of
from jointoit.api.http.rendering import JSONResponse
from jointoit.api.lists import parameters
from jointoit.events import documentation, feed
from jointoit.events.parameters import FeedParameters
from jointoit.events.serializers import FeedSerializer
from jointoit.journal.feed import CursorExpired


@documentation.feed
class FeedView(GenericAPIView[Any]):
    permission_classes = [AllowAny]
    serializer_class = FeedSerializer
    scopes = {"GET": "feed"}
    refusals = {"GET": {410: ("cursor_expired",), 503: ("feed_renewed",)}}

    @classmethod
    def known_parameters(cls) -> frozenset[str]:
        return frozenset(FeedParameters._declared_fields)

    def get(self, request: Request) -> HttpResponse:
        asked = parameters.read(request, FeedParameters)
        try:
            page = feed.page(asked, caller=caller_of(request))
        except CursorExpired as expired:
            raise CursorExpired(restart=self.link(request, **{"from": "start"})) from expired
        results = [feed.members(row) for row in page.rows]
        return JSONResponse({"next": self.link(request, cursor=page.next.write()), "results": results})

    @staticmethod
    def link(request: Request, **place: str) -> str:
        """The same list from another place on."""
        given = {name: value for name, value in request.query_params.items() if name not in ("cursor", "from")}
        return f"{settings.PUBLIC_URL}{request.path}?{urlencode(given | place)}"
