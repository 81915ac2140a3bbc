"""Rows to look at and never to edit: those of the toolkit, and the classes that other apps' admins build on."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from jointoit.api.models import IdempotencyKey, RateBucket


class ReadOnlyAdmin(admin.ModelAdmin[Any]):
    """Rows that the service writes for itself."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class UndeletableAdmin(ReadOnlyAdmin):
    """Rows that are not deleted by hand either."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


# Deleting one of these is allowed: it only makes the service forget.
@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(ReadOnlyAdmin):
    list_display = ("scope", "caller", "status", "created_at")
    list_filter = ("status", "created_at")
    search_fields = ("=caller",)
    fields = ("scope", "caller", "fingerprint", "status", "created_at")  # the answer is the caller's own affair


@admin.register(RateBucket)
class RateBucketAdmin(ReadOnlyAdmin):
    list_display = ("key", "allowed")
    list_filter = ("allowed",)
