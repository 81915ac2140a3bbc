"""The door of one event: for whoever helps there with an account, or came by the link of a door pass.

The page works without scripts. With them it scans with the camera, goes on without network and sends later; what it
sends goes to the API's own views, which know the person here by the session.
"""

import uuid
from pathlib import Path
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from jointoit.accounts.callers import Caller, DoorKeeper
from jointoit.accounts.tokens import DeadToken
from jointoit.api.fields import LineField
from jointoit.api.lists.prepared import Row
from jointoit.checkin import counts, door, reading, roster
from jointoit.checkin.models import Scan
from jointoit.errors import DomainError, NotFound
from jointoit.events import door_passes
from jointoit.events.models import DoorPass, Event
from jointoit.events.refusals import NotYourEvent
from jointoit.mail import links
from jointoit.mail.times import moment, when
from jointoit.pages.base import PageView, kept_by_nobody

IN_SESSION: Final = "door_pass"  # the id of the pass that started it
OPENED: Final = "door_link"  # the id of the pass whose link was opened last
WORKER: Final = Path(__file__).parent / "static/pages/worker.js"
LAST: Final = 5  # scans that stay in sight
REASONS: Final = {
    "already_admitted": _("Already in"),
    "cancelled": _("The registration was cancelled"),
    "not_confirmed": _("No seat: not confirmed"),
    "reissued": _("An old ticket: ask for the newer one"),
    "wrong_event": _("A ticket for another event"),
    "forged": _("Not one of our tickets"),
    "unknown_code": _("No such code: look again, or search by name"),
    "not_open": _("The door is not open"),
    "event_cancelled": _("The event is cancelled"),
}


def pass_in(request: HttpRequest, key: str, event_id: int, *, now: Any) -> DoorPass | None:
    """The pass that the session has under this key, if it is still good for this door."""
    pk: Any = request.session.get(key)
    good = DoorPass.objects.filter(pk=pk, event=event_id, revoked_at=None, expires_at__gt=now)
    return good.first() if pk else None


def pass_of(request: HttpRequest, event_id: int, *, now: Any) -> DoorKeeper | None:
    """Who came by the link of a pass that is still good for this door."""
    found = pass_in(request, IN_SESSION, event_id, now=now)
    return DoorKeeper(found.pk, event_id) if found else None


class DoorPage(PageView):
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = super().dispatch(request, *args, **kwargs)
        response["Permissions-Policy"] = "camera=(self), geolocation=(), microphone=(), payment=(), usb=()"
        response["Cache-Control"] = "no-store"
        return response

    def keeper(self, event_id: int) -> door.Keeper:
        """Whoever stands at the door: by an account or, where that has no role, by a pass.

        Raises NotFound, NotYourEvent; DeadToken where nobody is known.
        """
        door_keeper = pass_of(self.request, event_id, now=self.now)
        if self.user:
            try:
                return door.keeper_of(self.caller, event_id)
            except (NotFound, NotYourEvent):
                if door_keeper is None:
                    raise
        if door_keeper is None:
            raise DeadToken
        return door.keeper_of(Caller(door=door_keeper), event_id)

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self.show(self.keeper(pk))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        keeper = self.keeper(pk)
        try:
            if request.POST.get("do") == "undo":
                door.undo(caller=keeper.caller, event_id=pk, scan_id=uuid_of(request.POST.get("scan")), now=self.now)
                return redirect("page-door", pk)
            try:
                scan = presented(request)
            except ValidationError as error:
                refusals: Any = error.detail
                return self.show(keeper, 400, refusal=refusals[0], gate="")
            if scan is None:
                return redirect("page-door", pk)
            row, _is_new = door.admit(caller=keeper.caller, event_id=pk, scan=scan, now=self.now)
        except (NotFound, DeadToken, NotYourEvent):
            raise
        except DomainError as error:
            return self.show(keeper, 409, refusal=str(error))
        return self.show(keeper, result=row)

    def show(self, keeper: door.Keeper, status: int = 200, result: Row | None = None, **more: Any) -> HttpResponse:
        event = Event.objects.get(pk=keeper.event.pk)
        is_shell = "shell" in self.request.GET  # what a device keeps for when there is no network names nobody
        words = "" if is_shell else self.request.GET.get("q", "").strip()
        shown = {
            "event": event,
            "when": when(event, event.timezone),
            "is_open": event.door_opens <= self.now < event.door_closes and event.status == Event.Status.PUBLISHED,
            "opens": moment(event.door_opens, event.timezone),
            "closes": moment(event.door_closes, event.timezone),
            "counts": counts.summary(event, now=self.now),
            "gate": self.request.POST.get("gate", ""),
            "words": words,
            "found": roster.search(words, event_id=event.pk) if len(words) > 1 else [],
            "last": [] if is_shell else last_of(keeper),
            "result": result and told(result, event),
            "scan_id": uuid.uuid4(),
            "reasons": REASONS,
        }
        return self.render("door", status, **shown | more)


def last_of(keeper: door.Keeper) -> list[dict[str, Any]]:
    """The newest scans of whoever looks."""
    own = {f"{name}_id": value for name, value in keeper.own.items() if value}
    scans = Scan.objects.filter(event=keeper.event.pk, **own).select_related("registration__attendee")
    return [
        {
            "id": scan.pk,
            "name": scan.registration and scan.registration.attendee.get_full_name(),
            "is_in": scan.result == Scan.Result.ADMITTED,
            "reason": REASONS.get(scan.reason or ""),
            "undone": scan.undone_at,
        }
        for scan in scans.order_by("-received_at", "-pk")[:LAST]
    ]


def told(row: Row, event: Event) -> dict[str, Any]:
    """A scan in words."""
    scan = door.scan_members(row)
    first = scan["first"]
    return {
        "is_in": scan["result"] == "admitted",
        "name": scan["name"],
        "reason": REASONS.get(scan["reason"] or ""),
        "first": first and {"at": moment(first["scanned_at"], event.timezone), "gate": first["gate"]},
        "id": scan["id"],
    }


LONGEST_CODE: Final = 30  # characters; a token has 121 at least


def presented(request: HttpRequest) -> reading.Presented | None:
    """What the form shows of a ticket: its picture's text, its code, or whom the list found.

    Raises ValidationError for a gate that the API refuses too.
    """
    typed, found = request.POST.get("ticket", "").strip()[:500], request.POST.get("registration", "")
    gate = request.POST.get("gate", "").strip()[:50]
    named: dict[str, Any] = {
        "id": uuid_of(request.POST.get("id")),
        "gate": LineField().run_validation(gate) if gate else None,
    }
    if found.isascii() and found.isdecimal() and len(found) < 19:
        return reading.Presented(registration=int(found), **named)
    if not typed:
        return None
    named["token" if len(typed) > LONGEST_CODE else "code"] = typed
    return reading.Presented(**named)


def uuid_of(text: str | None) -> uuid.UUID:
    """The id that the form carries, so that a second press is the same scan; a new one for none."""
    try:
        return uuid.UUID(text or "")
    except ValueError:
        return uuid.uuid4()


class WorkerView(PageView):
    """The script that opens the page without network. Its path is what limits it to the doors."""

    def get(self, request: HttpRequest) -> HttpResponse:
        response = HttpResponse(WORKER.read_bytes(), content_type="text/javascript")
        response["Cache-Control"] = "no-cache"
        return response


class EnterView(PageView):
    """The link of a door pass: takes the secret out of the address and leads to the page with the button."""

    is_secret = True

    def get(self, request: HttpRequest, text: str) -> HttpResponse:
        found = self.find(text)
        if self.user is None and IN_SESSION not in request.session:
            request.session.set_expiry(links.VISITOR_LIFETIME)  # whoever opened it may never come
        request.session[OPENED] = found.pk
        return redirect("page-door-start", found.event_id)

    def find(self, text: str) -> DoorPass:
        """Raises NotFound for a pass that is unknown, ended or too old."""
        try:
            return door_passes.authenticate(text, now=self.now)
        except DeadToken:
            raise NotFound from None


class StartView(PageView):
    """Has the button, bound to the browser by its CSRF token: nobody stands at a door, or is logged out, unawares."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        response = self.render("door_enter", event=self.opened(pk).event)
        kept_by_nobody(response)
        return response

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        found = self.opened(pk)
        request.session.cycle_key()
        request.session[IN_SESSION] = found.pk
        if self.user is None:  # else the session is that of an account, and lasts as long
            request.session.set_expiry(max(1, int((found.expires_at - self.now).total_seconds())))
        return redirect("page-door", pk)

    def opened(self, event_id: int) -> DoorPass:
        """The pass whose link was opened here. Raises NotFound for none, and for one that is ended or too old."""
        found = pass_in(self.request, OPENED, event_id, now=self.now)
        if found is None:
            raise NotFound
        return found


# ── What the scripts of the page call ─────────────────────────────────────────────────────────────────────────────────


class DoorSession(SessionAuthentication):
    """Knows whoever is signed in to the pages, and who came by a pass; forms and scripts send their CSRF token."""

    def authenticate(self, request: Request) -> Any:
        user: Any = request._request.user
        event_id = int(request.parser_context["kwargs"]["pk"])
        keeper = pass_of(request._request, event_id, now=timezone.now())
        who = user if user.is_authenticated and (keeper is None or self.helps(user, event_id)) else keeper
        if who is None:
            return None
        self.enforce_csrf(request)
        return who, None

    @staticmethod
    def helps(user: Any, event_id: int) -> bool:
        try:
            door.keeper_of(Caller(user), event_id)
        except (NotFound, NotYourEvent):
            return False
        return True
