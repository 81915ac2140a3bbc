"""A card with one event, for others to put into their pages: no cookie, no session, and it knows nobody."""

from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.clickjacking import xframe_options_exempt

from jointoit.accounts.callers import Caller
from jointoit.errors import NotFound
from jointoit.events import event_queries
from jointoit.mail.times import when
from jointoit.pages.base import PageView
from jointoit.pages.events import opening_of, path_of, state_of

KEPT: Final = 60  # seconds that caches may keep a card


def policy() -> str:
    """What a browser may do with the card: the same as with any page, but to show it within another."""
    everywhere: str = settings.RESPONSE_HEADERS["Content-Security-Policy"]
    return everywhere.replace("frame-ancestors 'none'", "frame-ancestors *")


@method_decorator(xframe_options_exempt, name="dispatch")
class EmbedView(PageView):
    user = None  # its path is none of PAGE_PATHS: no middleware looks for a session

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        try:
            event = event_queries.visible_event(pk, caller=Caller())
        except NotFound:
            response = self.render("embed", 404)
        else:
            response = self.render(
                "embed",
                event=event,
                when=when(event, event.timezone),
                state=state_of(event, now=self.now),
                opens=opening_of(event),
                address=settings.PUBLIC_URL + path_of(event.pk, event.title),
            )
            response["Cache-Control"] = f"public, max-age={KEPT}"
        response["Content-Security-Policy"] = policy()
        response["X-Robots-Tag"] = "noindex"
        return response
