from django.contrib import admin

from jointoit.api.admin import UndeletableAdmin
from jointoit.checkin.models import Scan


@admin.register(Scan)
class ScanAdmin(UndeletableAdmin):
    """What happened at the door; changed there alone."""

    list_display = ("received_at", "event_id", "registration_id", "result", "reason", "gate", "undone_at")
    list_filter = ("result", "reason")
    search_fields = ("=id", "=event__id", "=registration__id")
    ordering = ("-received_at",)
    show_full_result_count = False
