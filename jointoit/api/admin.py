"""What other apps' admins build on: the same rules as the API has, and rows to look at and never to edit."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db import OperationalError
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from rest_framework import serializers

from jointoit.api import database
from jointoit.api.models import IdempotencyKey, RateBucket
from jointoit.api.problems.catalogue import known
from jointoit.api.problems.validation import entries
from jointoit.errors import DomainError


class SameFieldsForm(forms.ModelForm[Any]):
    """Takes of each value what the field of the same name takes in the API."""

    serializer_class: ClassVar[type[serializers.Serializer[Any]]]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        fields = self.serializer_class().get_fields()
        for name in {*self.changed_data} & {*cleaned} & {name for name in fields if not fields[name].read_only}:
            value = cleaned[name]
            try:
                value = value.isoformat() if isinstance(value, datetime) else value
                cleaned[name] = fields[name].run_validation(value)
            except serializers.ValidationError as refused:
                self.add_error(name, [entry["detail"] for entry in entries(refused.detail)])
        return cleaned


def refusal_of(error: Exception) -> str | None:
    """What a page says of a rule that refused, or of rows that others hold; None for a fault."""
    if isinstance(error, DomainError):
        return str(error)
    return known()["busy"].sentence if isinstance(error, OperationalError) and database.is_busy(error) else None


def folded(*names: str) -> tuple[str, ...]:
    """Search fields in which words are found in any case, with or without accents."""
    return tuple(f"{name}__unaccent__icontains" for name in names)


class RuledAdmin(admin.ModelAdmin[Any]):
    """Says on the page why a rule refused, instead of failing."""

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except (DomainError, OperationalError) as error:
            if (refusal := refusal_of(error)) is None:
                raise
            self.message_user(request, refusal, messages.ERROR)
            return redirect(request.get_full_path())

    def take_step(self, request: HttpRequest, rows: Iterable[Model], step: Callable[[Any], object], done: str) -> None:
        """Each row for itself: what a rule refuses of one stands in the way of no other."""
        taken = 0
        for row in rows:
            try:
                step(row)
                taken += 1
            except (DomainError, OperationalError) as error:
                if (refusal := refusal_of(error)) is None:
                    raise
                self.message_user(request, f"{row}: {refusal}", messages.ERROR)
        self.message_user(request, f"{done}: {taken}.", messages.SUCCESS if taken else messages.WARNING)


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


class ReadOnlyInline(admin.TabularInline[Any, Any]):
    """Rows of another table that the service writes for itself, on the page of what they belong to."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
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
