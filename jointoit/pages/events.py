"""What anybody may look at: what is on, one event, and asking for a seat there."""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import groupby
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import slugify
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from jointoit.accounts.models import User
from jointoit.api.lists.pagination import first_rows
from jointoit.api.lists.prepared import Row
from jointoit.errors import DomainError, ManyInvalid
from jointoit.events import answers, booking, event_queries, registration_queries, roles
from jointoit.events.models import Event, Registration
from jointoit.events.parameters import EventParameters
from jointoit.events.refusals import AlreadyRegistered
from jointoit.mail.times import When, moment, when
from jointoit.organizing import reports
from jointoit.pages.answers import AnswersForm
from jointoit.pages.base import PageView, read, to_login
from jointoit.pages.forms import ReportForm, VisitorForm

LONGEST_SLUG = 60  # characters
DESCRIBED = 200  # characters of a description that others show beside a link


def slug_of(title: str) -> str:
    return slugify(title, allow_unicode=True)[:LONGEST_SLUG].strip("-") or "event"


def path_of(pk: int, title: str) -> str:
    return reverse("page-event", args=[pk, slug_of(title)])


# ── What is on ────────────────────────────────────────────────────────────────────────────────────────────────────────


class EventListView(PageView):
    parameters_class = EventParameters

    def get(self, request: HttpRequest) -> HttpResponse:
        try:
            asked, is_understood = read(request, EventParameters), True
        except ValidationError:
            asked, is_understood = {}, False
        is_past = asked.get("upcoming") is False
        narrowed = {"ordering": "-date" if is_past else "date", "upcoming": not is_past, **asked}
        if "search" in asked and "ordering" not in asked:
            narrowed.pop("ordering")
        listing = event_queries.event_list(narrowed, reader=0, now=self.now)
        page = self.page_of(listing, EventParameters)
        shown: dict[str, Any] = {"page": page, "days": by_day(page.rows), "asked": request.GET, "is_past": is_past}
        return self.render("events", **shown, chips=self.chips(), is_understood=is_understood)

    def chips(self) -> list[dict[str, Any]]:
        """The ways to narrow the list that most people want, each as a link."""
        zone = self.user.timezone if self.user else "UTC"
        today = self.now.astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
        week = {"date_from": stamp(today), "date_to": stamp(today + timedelta(days=7 - today.weekday()))}
        choices = [
            (_("All"), {}),
            (_("Today"), {"date": f"{today:%Y-%m-%d}", "timezone": zone}),
            (_("This week"), week),
            (_("Free seats"), {"has_seats": "true"}),
        ]
        given = {name: value for name, value in self.request.GET.items() if name != "cursor"}
        return [{"label": label, "query": query, "is_current": query == given} for label, query in choices]


def stamp(moment: datetime) -> str:
    return moment.astimezone(ZoneInfo("UTC")).strftime("%Y-%m-%dT%H:%M:%SZ")


def by_day(rows: Iterable[Row]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Events under their days, as the clocks at the event have them."""
    shown = [row | {"when": moment_of(row), "path": path_of(row["id"], row["title"])} for row in rows]
    return [(day, list(group)) for day, group in groupby(shown, key=lambda row: row["when"].day)]


def moment_of(row: Row, timezone: str = "") -> When:
    return when(SimpleNamespace(**row), timezone or row["timezone"])


# ── One event ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class EventView(PageView):
    def get(self, request: HttpRequest, pk: int, slug: str = "") -> HttpResponse:
        event = event_queries.visible_event(pk, caller=self.caller)
        if slug != slug_of(event.title):
            return redirect(path_of(pk, event.title), permanent=True)
        return self.show(event)

    def show(
        self, event: Event, status: int = 200, refusal: str = "", visitor_form: VisitorForm | None = None
    ) -> HttpResponse:
        there = when(event, event.timezone)
        shown: dict[str, Any] = {
            "event": event,
            "organizer": User.objects.get(pk=event.organizer_id),
            "when": there,
            "here": self.here(event, there),
            "state": state_of(event, now=self.now),
            "opens": opening_of(event),
            "mine": self.own_registration(event),
            "manages": self.user and roles.manager(self.caller, event) is not None,
            "refusal": refusal,
            "visitor_form": visitor_form or VisitorForm(),
            "address": settings.PUBLIC_URL + path_of(event.pk, event.title),
            "summary": " ".join(event.description.split())[:DESCRIBED],
        }  # fmt: skip
        return self.render("event", status, **shown, json_ld=json_ld(shown))

    def here(self, event: Event, there: When) -> When | None:
        """The time on the reader's clocks, where they show another."""
        if self.user is None:
            return None
        here = when(event, self.user.timezone)
        return here if here.starts.utcoffset() != there.starts.utcoffset() else None

    def own_registration(self, event: Event) -> Row | None:
        """Where the reader stands with the event, if they do."""
        if self.user is None:
            return None
        own = registration_queries.own_list({"event": event.pk}, caller=self.caller, now=self.now)
        rows = first_rows(own, 1)
        return rows[0] if rows and rows[0]["status"] != Registration.Status.CANCELLED else None


class RegisterView(EventView):
    """What the button on the page of an event sends; opened as a page, it asks what the event asks, or leads back."""

    throttle_scope = "register"

    def get(self, request: HttpRequest, pk: int, slug: str = "") -> HttpResponse:
        if self.user:
            event = event_queries.visible_event(pk, caller=self.caller)
            questions = answers.asked(event)
            if questions and state_of(event, now=self.now) in TAKES and self.own_registration(event) is None:
                return self.ask(event, AnswersForm(questions))
        return redirect("page-event-short", pk)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        if self.user is None:
            return to_login(request)
        event = event_queries.visible_event(pk, caller=self.caller)
        form = AnswersForm(answers.asked(event), request.POST)
        if not form.is_valid():
            return self.ask(event, form, form.status)
        try:
            registration = booking.register(event_id=pk, attendee=self.user, now=self.now, answered=form.answered)
        except AlreadyRegistered:
            return redirect("page-event-short", pk)
        except ManyInvalid as error:
            form.refuse(error)
            return self.ask(event, form, form.status)
        except DomainError as error:
            event = event_queries.visible_event(pk, caller=self.caller)
            return self.show(event, 409, refusal=str(error))
        messages.success(request, sentence_of(registration))
        return redirect("page-registration", registration.pk)

    def ask(self, event: Event, form: AnswersForm, status: int = 200) -> HttpResponse:
        shown = {"event": event, "form": form, "state": state_of(event, now=self.now)}
        return self.render("register", status, **shown, when=when(event, event.timezone))


#: States in which one may ask for a seat.
TAKES = ("open", "waitlist")


def sentence_of(registration: Registration) -> str:
    if registration.status == Registration.Status.CONFIRMED:
        return _("You have a seat. A mail with your ticket is on its way.")
    if registration.status == Registration.Status.PENDING:
        return _("The organizer has been asked. You will get a mail either way.")
    return _("Every seat is taken. You are on the waiting list, and get the next free seat in turn.")


def opening_of(event: Event) -> str:
    """When registration opens, on the clocks at the event; empty where it always was open."""
    return moment(event.registration_opens_at, event.timezone) if event.registration_opens_at else ""


def state_of(event: Event, *, now: datetime) -> str:
    """The state that the page shows, which has its own sentence and its own button."""
    if event.status != Event.Status.PUBLISHED:
        return str(event.status)
    try:
        booking.refuse(event, now=now)
    except DomainError as error:
        return "over" if event.over_at <= now else error.code
    if not event.is_full:
        return "open"
    return "waitlist" if event.waitlist else "full"


class ReportView(PageView):
    """Tells staff of an event that should perhaps not be there."""

    throttle_scope = "report"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self.ask(pk, ReportForm())

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        form = ReportForm(request.POST)
        if not form.is_valid():
            return self.ask(pk, form, 400)
        event = event_queries.visible_event(pk, caller=self.caller)
        reports.report(event=event, reporter=self.user, now=self.now, **{"text": "", **form.cleaned_data})
        messages.success(request, _("Thank you. We are going to look at it."))
        return redirect("page-event-short", pk)

    def ask(self, pk: int, form: ReportForm, status: int = 200) -> HttpResponse:
        event = event_queries.visible_event(pk, caller=self.caller)
        return self.render("report", status, event=event, event_path=path_of(pk, event.title), form=form)


# ── For search engines ────────────────────────────────────────────────────────────────────────────────────────────────

#: In a script element the characters that end it are written as JSON escapes.
HARMLESS = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}


def json_ld(shown: dict[str, Any]) -> SafeString:
    """The event in the vocabulary of schema.org."""
    event: Event = shown["event"]
    is_off = event.status == Event.Status.CANCELLED
    document = {
        "@context": "https://schema.org",
        "@type": "Event",
        "name": event.title,
        "url": shown["address"],
        "startDate": shown["when"].starts.isoformat(),
        "endDate": shown["when"].ends and shown["when"].ends.isoformat(),
        "eventStatus": f"https://schema.org/Event{'Cancelled' if is_off else 'Scheduled'}",
        "location": {"@type": "Place", "name": event.location, "address": event.location},
        "description": shown["summary"] or None,
        "organizer": {"@type": "Person", "name": shown["organizer"].get_full_name()},
        "maximumAttendeeCapacity": event.capacity,
        "remainingAttendeeCapacity": event.seats_left,
    }
    told = json.dumps({name: value for name, value in document.items() if value is not None}, ensure_ascii=False)
    return mark_safe(told.translate(HARMLESS))  # noqa: S308  nothing in it ends the element


# ── For robots ────────────────────────────────────────────────────────────────────────────────────────────────────────

IN_SITEMAP = 5_000  # addresses; the format takes 50,000


class SitemapView(PageView):
    """Events that are still to come, the next one first (sitemaps.org)."""

    def get(self, request: HttpRequest) -> HttpResponse:
        coming = (
            Event.objects.existing().filter(status=Event.Status.PUBLISHED, date__gt=self.now).order_by("date", "pk")
        )
        rows = coming.values_list("pk", "title", "updated_at")[:IN_SITEMAP]
        entries = [(settings.PUBLIC_URL + path_of(pk, title), updated) for pk, title, updated in rows]
        response = self.render("sitemap", entries=entries, list=settings.PUBLIC_URL + reverse("page-events"))
        response["Content-Type"] = "application/xml"
        return response


class RobotsView(PageView):
    def get(self, request: HttpRequest) -> HttpResponse:
        closed = ("/admin/", "/me/", "/manage/", "/door/", "/r/", "/t/", "/users/", "/registrations/", "/calendar/")
        lines = ["User-agent: *", *(f"Disallow: {path}" for path in closed)]
        lines += ["", f"Sitemap: {settings.PUBLIC_URL}{reverse('page-sitemap')}", ""]
        return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8")
