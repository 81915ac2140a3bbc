from django.contrib import admin

from jointoit.api.admin import Panel, UndeletableAdmin
from jointoit.checkin.models import Scan
from jointoit.events.admin import RegistrationAdmin


@admin.register(Scan)
class ScanAdmin(UndeletableAdmin):
    """What happened at the door; changed there alone."""

    list_display = ("received_at", "event_id", "registration_id", "result", "reason", "gate", "undone_at")
    list_filter = ("result", "reason")
    search_fields = ("=id", "=event__id", "=registration__id")
    ordering = ("-received_at",)
    show_full_result_count = False


RegistrationAdmin.panels = (
    *RegistrationAdmin.panels,
    Panel(
        "At the door",
        Scan,
        lambda registration: {"event": registration.event_id, "registration": registration.pk},
        {"When": "received_at", "Result": "result", "Reason": "reason", "Gate": "gate", "Undone": "undone_at"},
        newest_first="-received_at",
    ),
)
