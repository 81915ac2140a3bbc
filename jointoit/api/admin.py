"""What the toolkit keeps, to look at: nothing here is ever edited by hand."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from jointoit.api.models import IdempotencyKey, RateBucket


class LookOnly(admin.ModelAdmin[Any]):
    """Rows that the service writes for itself. Deleting one is allowed: it only makes the service forget."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(LookOnly):
    list_display = ("scope", "caller", "status", "created_at")
    list_filter = ("status", "created_at")
    search_fields = ("=caller",)
    fields = ("scope", "caller", "fingerprint", "status", "created_at")  # the answer is the caller's own affair


@admin.register(RateBucket)
class RateBucketAdmin(LookOnly):
    list_display = ("key", "allowed")
    list_filter = ("allowed",)
