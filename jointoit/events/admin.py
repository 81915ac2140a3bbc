from copy import copy
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from jointoit.accounts.admin import UserAdmin
from jointoit.accounts.callers import Caller
from jointoit.accounts.models import User
from jointoit.api.admin import ReadOnlyInline, RuledAdmin, SameFieldsForm, UndeletableAdmin, folded
from jointoit.errors import DomainError
from jointoit.events import booking, scheduling
from jointoit.events.models import DoorPass, Event, Invitation, Membership, Registration
from jointoit.events.serializers import NewEventSerializer


def staff(request: HttpRequest) -> Caller:
    """Whoever works in the admin, as a caller: Django has made sure of their permissions."""
    assert isinstance(request.user, User)
    return Caller(request.user, as_staff=True)


class EventForm(SameFieldsForm):
    """A refusal that can be seen beforehand stands at its field; `scheduling` looks again when it saves."""

    serializer_class = NewEventSerializer

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not self.errors:
            event = copy(self.instance)
            for name, value in cleaned.items():
                setattr(event, name, value)
            try:
                scheduling.refuse(event, self.changed_data, now=timezone.now())
            except DomainError as refusal:
                self.add_error(getattr(refusal, "field", None), str(refusal))
        return cleaned


class RoleInline(ReadOnlyInline):
    """Where somebody helps."""

    model = Membership
    fk_name = "member"
    verbose_name_plural = "helps with"
    fields: ClassVar[tuple[str, ...]] = ("owner", "event", "role", "since")
    readonly_fields: ClassVar[tuple[str, ...]] = fields


class TeamInline(RoleInline):
    """Who helps with an event; those who help with all of its owner's are on the owner's page."""

    fk_name = "event"
    verbose_name_plural = "team"
    fields: ClassVar = ("member", "role", "since")
    readonly_fields: ClassVar = fields


UserAdmin.inlines = (*UserAdmin.inlines, RoleInline)


@admin.register(Event)
class EventAdmin(RuledAdmin):
    form = EventForm
    inlines = (TeamInline,)
    list_display = ("title", "date", "location", "organizer", "status", "capacity", "seats_taken", "waiting")
    list_filter = ("status", "date", "requires_approval", "verified_only", "waitlist")
    search_fields = folded("title", "location", "organizer__username", "organizer__email")
    list_select_related = ("organizer",)
    autocomplete_fields = ("organizer",)
    readonly_fields = ("seats_taken", "waiting", "revision", "created_at", "updated_at", "deleted_at")
    date_hierarchy = "date"
    actions = ("cancel_events", "delete_events")

    def get_readonly_fields(self, request: HttpRequest, obj: Event | None = None) -> Any:
        """An event that exists changes its status and its organizer only through the rules."""
        return (*self.readonly_fields, "status", "organizer") if obj else self.readonly_fields

    def get_fields(self, request: HttpRequest, obj: Event | None = None) -> Any:
        """What the service keeps itself has no value before there is an event."""
        fields = super().get_fields(request, obj)
        return fields if obj else [name for name in fields if name not in self.readonly_fields]

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "organizer":
            kwargs["queryset"] = User.objects.filter(is_active=True)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Event, form: Any, change: bool) -> None:
        now, fields = timezone.now(), dict(form.cleaned_data)
        if change:
            changed = {name: fields[name] for name in form.changed_data}
            scheduling.change(event_id=obj.pk, caller=staff(request), fields=changed, now=now)
        else:
            organizer = fields.pop("organizer")
            obj.pk = scheduling.create(organizer=organizer, caller=staff(request), now=now, fields=fields).pk
        obj.refresh_from_db()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # rows are kept for those who were registered: the action below deletes by the rules

    def has_remove_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("events.delete_event")

    @admin.action(description="Delete the selected events and tell everybody registered", permissions=["remove"])
    def delete_events(self, request: HttpRequest, queryset: Any) -> None:
        now, caller = timezone.now(), staff(request)

        def delete(event: Event) -> None:
            scheduling.delete(event_id=event.pk, caller=caller, now=now)

        self.take_step(request, queryset, delete, "Deleted")

    @admin.action(description="Cancel the selected events and tell everybody registered", permissions=["change"])
    def cancel_events(self, request: HttpRequest, queryset: Any) -> None:
        now, caller = timezone.now(), staff(request)
        events = queryset.exclude(status=Event.Status.CANCELLED)

        def cancel(event: Event) -> None:
            scheduling.cancel(event_id=event.pk, caller=caller, now=now)

        self.take_step(request, events, cancel, "Cancelled")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).filter(deleted_at=None)


@admin.register(Registration)
class RegistrationAdmin(RuledAdmin):
    """Staff look, approve and cancel by action; each goes through `booking` in the organizer's name."""

    list_display = ("id", "event", "attendee", "status", "registered_at", "updated_at")
    list_filter = ("status",)
    search_fields = folded(
        "event__title", "attendee__username", "attendee__first_name", "attendee__last_name", "attendee__email"
    )
    list_select_related = ("event", "attendee")
    readonly_fields = ("event", "attendee", "status", "queue_number", "revision", "registered_at", "updated_at")
    actions = ("cancel_registrations",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """For the actions alone: to save a row would write what others have changed meanwhile."""
        return obj is None and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.action(description="Cancel the selected registrations and tell each person", permissions=["change"])
    def cancel_registrations(self, request: HttpRequest, queryset: Any) -> None:
        now, caller = timezone.now(), staff(request)

        def cancel(registration: Registration) -> None:
            booking.remove(registration_id=registration.pk, caller=caller, now=now)

        self.take_step(request, queryset.live().select_related("event"), cancel, "Cancelled")


# ── Who helps: given and taken by the team, looked at here ────────────────────────────────────────────────────────────


@admin.register(Membership)
class MembershipAdmin(UndeletableAdmin):
    list_display = ("member", "role", "owner", "event", "since")
    list_select_related = ("member", "owner", "event")
    list_filter = ("role",)
    search_fields = folded("member__username", "member__email", "owner__username", "event__title")


@admin.register(Invitation)
class InvitationAdmin(UndeletableAdmin):
    list_display = ("email", "role", "owner", "event", "created_at", "expires_at", "settled_at")
    list_select_related = ("owner", "event")
    search_fields = folded("email", "owner__username", "event__title")


@admin.register(DoorPass)
class DoorPassAdmin(UndeletableAdmin):
    list_display = ("label", "event", "created_at", "expires_at", "revoked_at")
    list_select_related = ("event",)
    search_fields = ("label", "event__title")
    exclude = ("digest",)
