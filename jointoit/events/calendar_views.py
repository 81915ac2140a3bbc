"""Calendars that programs subscribe to: each asks again every hour, and mostly hears that nothing changed."""

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.permissions import AllowAny
from rest_framework.request import Request

from jointoit.api.http.conditional import Conditional
from jointoit.events import calendars, documentation
from jointoit.events.views import CalendarRenderer


class CalendarFeedView(Conditional):
    renderer_classes = [CalendarRenderer]
    permission_classes = [AllowAny]

    def answer(self, feed: bytes, **headers: str) -> HttpResponse:
        return HttpResponse(feed, content_type="text/calendar; charset=utf-8", headers=headers)


@documentation.personal_calendar
class PersonalCalendarView(CalendarFeedView):
    """The address is its own proof, and looks at no token: calendar programs send none."""

    authentication_classes = ()
    refusals = {"GET": {404: ("not_found",)}}

    def get(self, request: Request, secret: str) -> HttpResponse:
        feed = calendars.personal(secret, now=timezone.now())
        kept = {"Cache-Control": "private, no-cache", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}
        return self.answer(feed, **kept)


@documentation.organizer_calendar
class OrganizerCalendarView(CalendarFeedView):
    scopes = {"GET": "events:read"}

    def get(self, request: Request, pk: int) -> HttpResponse:
        return self.answer(calendars.of_organizer(pk, now=timezone.now()))
