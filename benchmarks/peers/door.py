"""Two doors as they are often written, in our own process, with our middleware, tokens, models and JSON.

`/bare/` inserts what it is told: the least that a scan can cost, with nothing that keeps it right. `/check/` verifies
the ticket, looks whether somebody is in, and inserts: right until two phones come at once.
"""

import os
from typing import Any

import django
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()
settings.ROOT_URLCONF = __name__

from django.http import HttpResponse  # noqa: E402  need the settings above
from django.urls import path  # noqa: E402
from django.utils import timezone  # noqa: E402
from rest_framework.request import Request  # noqa: E402
from rest_framework.views import APIView  # noqa: E402

from config.rsgi import application as application  # noqa: E402  what granian looks for
from jointoit.accounts.authentication import sender  # noqa: E402
from jointoit.api.http.rendering import JSONResponse  # noqa: E402
from jointoit.checkin.models import STANDS, Scan  # noqa: E402
from jointoit.events.models import Registration  # noqa: E402
from jointoit.tickets import tokens  # noqa: E402


def body_of(request: Request) -> dict[str, Any]:
    found: Any = request.data
    return dict(found)


class BareView(APIView):
    def post(self, request: Request, pk: int) -> HttpResponse:
        return inserted(request, pk, int(body_of(request)["registration"]))


class CheckView(APIView):
    def post(self, request: Request, pk: int) -> HttpResponse:
        ticket = tokens.verify(body_of(request)["token"])
        seat = Registration.objects.select_related("attendee").get(pk=ticket.registration, event=pk)
        if Scan.objects.filter(STANDS, registration=seat).exists():
            return JSONResponse({"result": "refused"}, 201)
        return inserted(request, pk, seat.pk)


def inserted(request: Request, event: int, registration: int) -> HttpResponse:
    now = timezone.now()
    scan = Scan.objects.create(
        id=body_of(request)["id"], event_id=event, registration_id=registration, result="admitted", entered=True,
        scanned_at=now, received_at=now, actor_kind="owner", actor_id=sender(request).pk, content="",
    )  # fmt: skip
    return JSONResponse({"id": scan.pk, "result": scan.result, "received_at": now}, 201)


urlpatterns = [path("bare/<int:pk>/", BareView.as_view()), path("check/<int:pk>/", CheckView.as_view())]
