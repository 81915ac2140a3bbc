from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from jointoit.api.admin import Panel, RuledAdmin, UndeletableAdmin, folded
from jointoit.events.admin import EventAdmin, RegistrationAdmin, attendees, staff
from jointoit.events.models import Event, Question, Registration
from jointoit.organizing import reports, resending, statistics
from jointoit.organizing.models import Announcement, EventNews, NewsPosition, Report, Transfer


@admin.register(Question)
class QuestionAdmin(UndeletableAdmin):
    list_display = ("label", "event", "type", "required", "position", "archived")
    list_select_related = ("event",)
    search_fields = folded("label", "event__title")


@admin.register(Announcement)
class AnnouncementAdmin(UndeletableAdmin):
    list_display = ("subject", "event", "author", "recipients", "created_at")
    list_select_related = ("event", "author")
    search_fields = folded("subject", "event__title")


@admin.register(Transfer)
class TransferAdmin(UndeletableAdmin):
    list_display = ("registration", "email", "created_at", "settled_at")
    search_fields = (*folded("email"), "=registration__id")


@admin.register(Report)
class ReportAdmin(RuledAdmin):
    """What people tell of events. Staff hide an event in the list of events."""

    list_display = ("event", "kind", "text", "reporter", "created_at", "settled_at")
    list_select_related = ("event", "reporter")
    list_filter = (("settled_at", admin.EmptyFieldListFilter), "kind")
    search_fields = folded("event__title", "text")
    actions = ("settle_reports",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.action(description="Be done with the selected reports", permissions=["change"])
    def settle_reports(self, request: HttpRequest, queryset: Any) -> None:
        for report in queryset:
            reports.settle(report_id=report.pk, now=timezone.now())


@admin.register(EventNews)
class EventNewsAdmin(UndeletableAdmin):
    list_display = ("event", "asked", "came", "queued", "cancelled", "since", "told_at")
    list_select_related = ("event",)
    search_fields = ("=event__id",)


@admin.register(NewsPosition)
class NewsPositionAdmin(UndeletableAdmin):
    list_display = ("place",)


# ── On the pages of events and registrations ──────────────────────────────────────────────────────────────────────────


class FiguresPanel(Panel):
    """What the organizer sees of an event; one statement."""

    def read(self, event: Event) -> dict[str, Any]:
        found = statistics.figures(event, bucket="month", timezone=event.timezone, now=timezone.now())
        door = {name: found["door"][name] for name in ("admitted", "no_shows")}
        numbers = found["funnel"] | {"promoted": found["waiting_list"]["promoted"]} | door
        rows = [(None, (name.replace("_", " ").capitalize(), number)) for name, number in numbers.items()]
        return {"title": self.title, "head": ("Figure", "People"), "rows": rows}


EventAdmin.panels = (
    FiguresPanel("Figures", Registration, lambda event: {"event": event.pk}, columns={}),
    *EventAdmin.panels,
    Panel(
        "Announcements",
        Announcement,
        lambda event: {"event": event.pk},
        {"Subject": "subject", "By": "author__username", "People": "recipients", "Written": "created_at"},
    ),
    Panel(
        "Reports",
        Report,
        lambda event: {"event": event.pk},
        {"What": "kind", "By": "reporter__username", "When": "created_at", "Settled": "settled_at"},
    ),
)


@admin.action(description="Send the present mail of the selected registrations again", permissions=["change"])
def send_again(model_admin: RegistrationAdmin, request: HttpRequest, queryset: Any) -> HttpResponse | None:
    now, caller, live = timezone.now(), staff(request), queryset.live()

    def send(registration: Registration) -> None:
        resending.send_again(caller=caller, registration_id=registration.pk, now=now)

    rows = live.select_related("event", "attendee")
    return model_admin.take_step(request, rows, send, "Sent again", people=attendees(live))


RegistrationAdmin.actions = (*RegistrationAdmin.actions, send_again)
