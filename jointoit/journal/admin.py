from django.contrib import admin

from jointoit.api.admin import UndeletableAdmin
from jointoit.journal.models import Fact


@admin.register(Fact)
class FactAdmin(UndeletableAdmin):
    """Who did what. `?actor_kind=key&actor_id=9` shows what was done with one key."""

    list_display = ("at", "type", "actor_kind", "actor_id", "event_id", "registration_id")
    list_filter = ("type", "actor_kind")
    search_fields = ("=event_id", "=registration_id", "=actor_id", "=request_id")
    ordering = ("-id",)
    show_full_result_count = False
