from collections.abc import Iterable, Sequence
from copy import copy
from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from jointoit.accounts.admin import UserAdmin
from jointoit.accounts.callers import Caller
from jointoit.accounts.models import User
from jointoit.api.admin import Panel, ReadOnlyInline, RuledAdmin, SameFieldsForm, UndeletableAdmin, folded
from jointoit.errors import DomainError
from jointoit.events import booking, hiding, notifications, scheduling
from jointoit.events.models import DoorPass, Event, Invitation, Membership, Registration
from jointoit.events.serializers import NewEventSerializer
from jointoit.journal.models import Fact
from jointoit.mail import stops
from jointoit.mail.models import OutboxMail

STEP = {"What": "type", "When": "at", "By": "actor_kind", "Number": "actor_id"}
#: The steps of so many registrations, the newest ones, are on the page of a person.
RECENT = 50


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


def recent_registrations(user: User) -> dict[str, Any]:
    numbers = user.registrations.order_by("-pk").values_list("pk", flat=True)
    return {"registration_id__in": list(numbers[:RECENT])}


OF_PERSON = (
    Panel(
        "Registrations",
        Registration,
        lambda user: {"attendee": user.pk},
        {"Event": "event__title", "Status": "status", "Registered": "registered_at", "Changed": "updated_at"},
    ),
    Panel(
        "Own events",
        Event,
        lambda user: {"organizer": user.pk},
        {"Title": "title", "Date": "date", "Status": "status", "Seats taken": "seats_taken"},
    ),
    Panel("What happened to their registrations", Fact, recent_registrations, STEP),
)
UserAdmin.inlines = (*UserAdmin.inlines, RoleInline)
UserAdmin.panels = (*OF_PERSON, *UserAdmin.panels)


@admin.register(Event)
class EventAdmin(RuledAdmin):
    form = EventForm
    inlines = (TeamInline,)
    list_display = ("title", "date", "location", "organizer", "status", "capacity", "seats_taken", "waiting")
    list_filter = (
        "status", "date", "requires_approval", "verified_only", "waitlist",
        ("hidden_status", admin.EmptyFieldListFilter),
    )  # fmt: skip
    search_fields = folded("title", "location", "organizer__username", "organizer__email")
    list_select_related = ("organizer",)
    autocomplete_fields = ("organizer",)
    readonly_fields = ("seats_taken", "waiting", "revision", "created_at", "updated_at", "deleted_at", "hidden_status")
    date_hierarchy = "date"
    actions = ("cancel_events", "delete_events", "hide_events", "show_events")
    panels: ClassVar[Sequence[Panel]] = (
        Panel(
            "Registrations",
            Registration,
            lambda event: {"event": event.pk},
            {"Person": "attendee__username", "Status": "status", "Registered": "registered_at"},
        ),
        Panel("What happened", Fact, lambda event: {"event_id": event.pk}, STEP),
    )

    def note(self, event: Event) -> str:
        people = attendees(event.registrations.live())
        return (
            f"Whoever changes date, end, place or time zone writes to everybody registered, who are {people} now. "
            f"More seats go to those who wait, who are {event.waiting} now, and they are told."
        )

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
    def delete_events(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        now, caller = timezone.now(), staff(request)

        def delete(event: Event) -> None:
            scheduling.delete(event_id=event.pk, caller=caller, now=now)

        return self.take_step(request, queryset, delete, "Deleted", people=told(queryset, now=now))

    @admin.action(description="Cancel the selected events and tell everybody registered", permissions=["change"])
    def cancel_events(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        now, caller = timezone.now(), staff(request)
        events = queryset.exclude(status=Event.Status.CANCELLED)

        def cancel(event: Event) -> None:
            scheduling.cancel(event_id=event.pk, caller=caller, now=now)

        return self.take_step(request, events, cancel, "Cancelled", people=told(events, now=now))

    @admin.action(description="Hide the selected events and stop their mails", permissions=["change"])
    def hide_events(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        now, caller = timezone.now(), staff(request)

        def hide(event: Event) -> None:
            hiding.hide(event_id=event.pk, caller=caller, now=now)

        events = list(queryset.filter(hidden_status=None))
        stopped = sum(stops.waiting(hiding.topic(event.pk)).count() for event in events)
        sentence = (
            f"Mails that wait and will not be sent: {stopped}. Only the team sees the events until they are shown."
        )
        return self.take_step(request, events, hide, "Hidden", people=stopped, sentence=sentence)

    @admin.action(description="Show the selected events again", permissions=["change"])
    def show_events(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        now, caller = timezone.now(), staff(request)

        def show(event: Event) -> None:
            hiding.show(event_id=event.pk, caller=caller, now=now)

        hidden = queryset.exclude(hidden_status=None)
        waiting = sum(hidden.values_list("waiting", flat=True))
        sentence = f"They are as they were. Of {waiting} people who wait those get a mail for whom a seat became free."
        return self.take_step(request, hidden, show, "Shown", people=waiting, sentence=sentence)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).filter(deleted_at=None)


def told(events: Iterable[Event], *, now: datetime) -> int:
    """How many people hear that these events do not take place; of those that are over nobody does."""
    coming = [event.pk for event in events if not event.is_over(now)]
    return attendees(Registration.objects.live().filter(event__in=coming))


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
    actions: Sequence[Any] = ("approve_registrations", "cancel_registrations")
    panels: ClassVar[Sequence[Panel]] = (
        Panel("What happened", Fact, lambda registration: {"registration_id": registration.pk}, STEP),
        Panel(
            "Mails",
            OutboxMail,
            lambda registration: {"dedupe_key__startswith": notifications.about(registration.pk)},
            {"What": "kind", "State": "state", "Answer of the server": "last_answer", "Promised": "created_at"},
        ),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def name_of(self, row: Registration) -> str:
        return f"{row.attendee}, {row.event}"

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """For the actions alone: to save a row would write what others have changed meanwhile."""
        return obj is None and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.action(description="Approve the selected registrations and tell each person", permissions=["change"])
    def approve_registrations(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        asking = queryset.filter(status=Registration.Status.PENDING)
        return self.set_status(request, asking, Registration.Status.CONFIRMED, "Approved")

    @admin.action(description="Cancel the selected registrations and tell each person", permissions=["change"])
    def cancel_registrations(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        note = "Who gets one of their seats from a waiting list is told too."
        return self.set_status(request, queryset.live(), Registration.Status.CANCELLED, "Cancelled", note=note)

    def set_status(
        self, request: HttpRequest, rows: Any, status: str, done: str, *, note: str = ""
    ) -> HttpResponse | None:
        now, caller = timezone.now(), staff(request)

        def step(registration: Registration) -> None:
            booking.set_status(registration_id=registration.pk, caller=caller, status=status, now=now)

        rows = rows.select_related("event", "attendee")
        return self.take_step(request, rows, step, done, people=attendees(rows), note=note)


def attendees(registrations: Any) -> int:
    """How many people they are of."""
    return int(registrations.order_by().values("attendee").distinct().count())


# ── Who helps: given and taken by the team, looked at here ────────────────────────────────────────────────────────────


@admin.register(Membership)
class MembershipAdmin(UndeletableAdmin):
    list_display = ("member", "role", "owner", "event", "since")
    list_select_related = ("member", "owner", "event")
    list_filter = ("role",)
    search_fields = folded(
        "member__username",
        "member__first_name",
        "member__last_name",
        "member__email",
        "owner__username",
        "event__title",
    )


@admin.register(Invitation)
class InvitationAdmin(UndeletableAdmin):
    list_display = ("email", "role", "owner", "event", "created_at", "expires_at", "settled_at")
    list_select_related = ("owner", "event")
    search_fields = folded("email", "owner__username", "event__title")


@admin.register(DoorPass)
class DoorPassAdmin(UndeletableAdmin):
    list_display = ("label", "event", "created_at", "expires_at", "revoked_at")
    list_select_related = ("event",)
    search_fields = folded("label", "event__title")
    exclude = ("digest",)
