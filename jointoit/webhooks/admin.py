from django.contrib import admin

from jointoit.api.admin import ReadOnlyAdmin, UndeletableAdmin
from jointoit.webhooks.models import Message, Position, Webhook


@admin.register(Webhook)
class WebhookAdmin(ReadOnlyAdmin):
    """Deleting one ends it, and forgets its log."""

    list_display = ("id", "owner", "host", "enabled", "disabled_reason", "failing_since", "last_success_at")
    list_filter = ("enabled", "disabled_reason")
    search_fields = ("=id", "=owner__id", "url")
    exclude = ("seed", "previous_seed")
    list_select_related = ("owner",)

    @admin.display(description="host")
    def host(self, webhook: Webhook) -> str:
        return webhook.url.partition("://")[2].partition("/")[0]


@admin.register(Message)
class MessageAdmin(UndeletableAdmin):
    list_display = ("message_id", "webhook", "type", "state", "attempt", "status", "milliseconds", "created_at")
    list_filter = ("state",)
    search_fields = ("=webhook__id", "=event_id")
    ordering = ("-id",)
    show_full_result_count = False


@admin.register(Position)
class PositionAdmin(UndeletableAdmin):
    list_display = ("place",)
