from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from jointoit.errors import DomainError
from jointoit.events import booking, scheduling
from jointoit.events.models import Event, Registration


class RefusalsShown(admin.ModelAdmin[Any]):
    """Says why a rule refused, where the form was, instead of failing."""

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except DomainError as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
            return redirect(request.get_full_path())


class RegistrationInline(admin.TabularInline[Registration, Event]):
    """Who comes. Read-only: seats change through the rules in `booking`, never by editing a row."""

    model = Registration
    fields = readonly_fields = ("attendee", "status", "queue_number", "registered_at", "updated_at")
    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Event)
class EventAdmin(RefusalsShown):
    list_display = ("title", "date", "location", "organizer", "status", "capacity", "seats_taken", "waiting")
    list_filter = ("status", "date", "requires_approval", "waitlist")
    search_fields = ("title", "location", "organizer__username", "organizer__email")
    list_select_related = ("organizer",)
    autocomplete_fields = ("organizer",)
    readonly_fields = ("seats_taken", "waiting", "revision", "created_at", "updated_at", "deleted_at")
    date_hierarchy = "date"
    actions = ("cancel_events", "delete_events")

    def get_readonly_fields(self, request: HttpRequest, obj: Event | None = None) -> Any:
        """An event that exists changes its status and its organizer only through the rules."""
        return (*self.readonly_fields, "status", "organizer") if obj else self.readonly_fields

    def save_model(self, request: HttpRequest, obj: Event, form: Any, change: bool) -> None:
        if not change:
            obj.save()
            return
        fields = {name: form.cleaned_data[name] for name in form.changed_data}
        scheduling.change(event_id=obj.pk, fields=fields, now=timezone.now())
        obj.refresh_from_db()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # rows are kept for those who were registered: the action below deletes by the rules

    def has_remove_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("events.delete_event")

    @admin.action(description="Delete the selected events and tell everybody registered", permissions=["remove"])
    def delete_events(self, request: HttpRequest, queryset: Any) -> None:
        for event in queryset.existing():
            scheduling.delete(event_id=event.pk, now=timezone.now())
        self.message_user(request, "The events are deleted.")

    @admin.action(description="Cancel the selected events and tell everybody registered", permissions=["change"])
    def cancel_events(self, request: HttpRequest, queryset: Any) -> None:
        events = queryset.existing().filter(status=Event.Status.PUBLISHED)
        for event in events:
            scheduling.cancel(event_id=event.pk, now=timezone.now())
        self.message_user(request, "The events are cancelled.")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).filter(deleted_at=None)


@admin.register(Registration)
class RegistrationAdmin(admin.ModelAdmin[Registration]):
    """Staff look, approve and cancel by action; each goes through `booking` in the organizer's name."""

    list_display = ("id", "event", "attendee", "status", "registered_at", "updated_at")
    list_filter = ("status",)
    search_fields = ("event__title", "attendee__username", "attendee__email")
    list_select_related = ("event", "attendee")
    readonly_fields = ("event", "attendee", "status", "queue_number", "revision", "registered_at", "updated_at")
    actions = ("cancel_registrations",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.action(description="Cancel the selected registrations and tell each person", permissions=["change"])
    def cancel_registrations(self, request: HttpRequest, queryset: Any) -> None:
        live = queryset.live().select_related("event__organizer")
        for registration in live:
            organizer = registration.event.organizer
            booking.remove(registration_id=registration.pk, actor=organizer, now=timezone.now())
        self.message_user(request, "The registrations are cancelled.")
