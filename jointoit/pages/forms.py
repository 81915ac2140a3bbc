"""Forms whose rules are those of the API: each is read by the serializer that reads the same thing as JSON."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django import forms
from django.forms.renderers import DjangoTemplates
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from jointoit.accounts.key_views import NewKeySerializer
from jointoit.accounts.keys import SCOPES
from jointoit.accounts.models import User
from jointoit.accounts.serializers import (
    AddressSerializer,
    ClosingSerializer,
    LoginSerializer,
    PasswordChangeSerializer,
    ProfileChangeSerializer,
    SignUpSerializer,
    VisitorSerializer,
)
from jointoit.api.fields import time_zones
from jointoit.errors import DomainError, Invalid
from jointoit.events.models import Event
from jointoit.events.serializers import EventSerializer, NewEventSerializer, ReasonSerializer
from jointoit.events.team_serializers import HandoverSerializer, InviteSerializer, NewDoorPassSerializer
from jointoit.organizing.models import Report
from jointoit.organizing.serializers import ReportSerializer


class Renderer(DjangoTemplates):
    form_template_name = "pages/form.html"
    field_template_name = "pages/field.html"


class Form(forms.Form):
    """What `serializer_class` refuses stands beside the field that it is about; `cleaned_data` is what it read."""

    serializer_class: ClassVar[type[serializers.Serializer[Any]]]
    default_renderer = Renderer

    def given(self) -> dict[str, Any]:
        """What the serializer reads."""
        return dict(self.cleaned_data)

    def clean(self) -> dict[str, Any]:
        given = {} if self.errors else self.given()
        if self.errors:
            return self.cleaned_data
        read = self.serializer_class(data=given)
        if read.is_valid():
            return dict(read.validated_data)
        for name, found in read.errors.items():
            self.add_error(name if name in self.fields else None, list(sentences(found)))
        return self.cleaned_data

    def refuse(self, error: DomainError) -> None:
        """Show why a verb refused."""
        field = getattr(error, "field", None) if isinstance(error, Invalid) else None
        self.add_error(field if field in self.fields else None, str(error))


def sentences(found: Any) -> Iterator[str]:
    """What a serializer says of one field, or of the items of one."""
    if isinstance(found, Mapping):
        found = list(found.values())
    for each in found:
        if isinstance(each, list | Mapping):
            yield from sentences(each)
        else:
            yield str(each)


def text(label: Any, **kwargs: Any) -> forms.CharField:
    """Text as it was typed: what of it counts says the serializer."""
    kind = kwargs.pop("type", "text")
    attrs = {"dir": "auto"} if kind == "text" else {}
    attrs |= kwargs.pop("attrs", {})
    widget = kwargs.pop("widget", forms.TextInput)(attrs={"type": kind, **attrs} if kind != "area" else attrs)
    return forms.CharField(label=label, strip=False, widget=widget, **kwargs)


def password(label: Any, *, new: bool = False, **kwargs: Any) -> forms.CharField:
    attrs = {"autocomplete": "new-password" if new else "current-password"}
    return forms.CharField(label=label, strip=False, widget=forms.PasswordInput(attrs=attrs), **kwargs)


def zone(label: Any, **kwargs: Any) -> forms.ChoiceField:
    def choices() -> list[tuple[str, str]]:
        return [(name, name.replace("_", " ")) for name in sorted(time_zones())]

    return forms.ChoiceField(label=label, choices=choices, **kwargs)


# ── Accounts ──────────────────────────────────────────────────────────────────────────────────────────────────────────

STRONG = _("At least 8 characters; not a common one, and not like your name.")


class ConfirmedForm(Form):
    """Takes the password; of an account that has none, the proof that its mail brought, unseen."""

    confirmed_by: ClassVar[str] = "password"

    proof = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, user: User, proof: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial = {**self.initial, "proof": proof}
        del self.fields["proof" if user.has_usable_password() else self.confirmed_by]


class LoginForm(Form):
    serializer_class = LoginSerializer

    username = text(
        _("Name or e-mail"), attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
    )
    password = password(_("Password"))


class SignUpForm(Form):
    serializer_class = SignUpSerializer

    username = text(
        _("Name"),
        help_text=_("Others see it. Letters, digits and . + - _"),
        attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"},
    )
    email = text(_("E-mail"), type="email", attrs={"autocomplete": "email"})
    password = password(_("Password"), new=True, help_text=STRONG)
    timezone = forms.CharField(required=False, widget=forms.HiddenInput(attrs={"data-timezone": ""}))

    def given(self) -> dict[str, Any]:
        return in_a_known_zone(super().given())


def in_a_known_zone(given: dict[str, Any]) -> dict[str, Any]:
    """A browser that names no zone we know lives in UTC until its reader says otherwise."""
    return given | {"timezone": given["timezone"] if given["timezone"] in time_zones() else "UTC"}


class AddressForm(Form):
    serializer_class = AddressSerializer

    email = text(_("E-mail"), type="email", attrs={"autocomplete": "email"})


class VisitorForm(Form):
    serializer_class = VisitorSerializer

    first_name = text(_("First name"), attrs={"autocomplete": "given-name"})
    last_name = text(_("Last name"), required=False, attrs={"autocomplete": "family-name"})
    email = text(_("E-mail"), type="email", attrs={"autocomplete": "email"})
    timezone = forms.CharField(required=False, widget=forms.HiddenInput(attrs={"data-timezone": ""}))

    def given(self) -> dict[str, Any]:
        return in_a_known_zone(super().given())


class ProfileForm(ConfirmedForm):
    serializer_class = ProfileChangeSerializer
    confirmed_by = "current_password"

    username = text(_("Name"), help_text=_("Others see it."), attrs={"autocomplete": "username"})
    first_name = text(_("First name"), required=False, attrs={"autocomplete": "given-name"})
    last_name = text(_("Last name"), required=False, attrs={"autocomplete": "family-name"})
    email = text(
        _("E-mail"),
        type="email",
        help_text=_("A new one takes effect when it is confirmed from there."),
        attrs={"autocomplete": "email"},
    )
    current_password = password(
        _("Password"),
        required=False,
        help_text=_("Only for a new e-mail: without it, the old one has to agree by a link too."),
    )
    timezone = zone(_("Time zone"), help_text=_("Mails and pages write times in it too."))

    def given(self) -> dict[str, Any]:
        secrets = ("current_password", "proof")
        return {name: value for name, value in super().given().items() if name not in secrets or value}


class PasswordForm(ConfirmedForm):
    serializer_class = PasswordChangeSerializer
    confirmed_by = "current_password"

    current_password = password(_("Present password"))
    new_password = password(_("New password"), new=True, help_text=STRONG)


class ClosingForm(ConfirmedForm):
    serializer_class = ClosingSerializer

    password = password(_("Password"))


class ExportForm(ConfirmedForm):
    serializer_class = ClosingSerializer

    password = password(_("Password"))


class KeyForm(ConfirmedForm):
    serializer_class = NewKeySerializer

    name = text(_("What is it for?"))
    scopes = forms.MultipleChoiceField(
        label=_("What may it do?"), choices=list(SCOPES.items()), widget=forms.CheckboxSelectMultiple
    )
    password = password(_("Password"))


# ── Events ────────────────────────────────────────────────────────────────────────────────────────────────────────────

TIMES = (
    "date", "ends_at", "registration_opens_at", "registration_closes_at", "cancel_until", "checkin_opens_at",
    "checkin_closes_at",
)  # fmt: skip


def moment(label: Any, **kwargs: Any) -> forms.CharField:
    return forms.CharField(label=label, widget=forms.TextInput(attrs={"type": "datetime-local"}), **kwargs)


def instant(form: Form, name: str, place: ZoneInfo) -> str | None:
    """What the clocks show, as a moment; the earlier one where they show it twice."""
    try:
        local = datetime.fromisoformat(form.cleaned_data[name])
        return local.replace(tzinfo=local.tzinfo or place).isoformat()
    except (ValueError, OverflowError):
        form.add_error(name, _("Write it as date and time, such as 2030-05-17T19:00."))
        return None


class EventForm(Form):
    """Times are those on the clocks of the place."""

    serializer_class = EventSerializer
    template_name = "pages/event_form.html"

    title = text(_("Title"))
    date = moment(_("Starts"))
    ends_at = moment(_("Ends"), required=False)
    timezone = zone(_("Time zone of the place"))
    location = text(_("Where"))
    description = text(_("What is it about?"), type="area", widget=forms.Textarea, required=False)
    capacity = forms.IntegerField(label=_("Seats"), required=False, help_text=_("Empty: as many as come."), min_value=1)
    waitlist = forms.BooleanField(label=_("Keep a waiting list when all seats are taken"), required=False)
    requires_approval = forms.BooleanField(label=_("I approve everybody who registers"), required=False)
    registration_opens_at = moment(_("Registration opens"), required=False, help_text=_("Empty: at once."))
    registration_closes_at = moment(_("Registration closes"), required=False, help_text=_("Empty: at the start."))
    tags = text(_("Tags"), required=False, help_text=_("Words that people look for, with commas between."))
    cancel_until = moment(
        _("People may cancel by themselves until"), required=False, help_text=_("Empty: until the end.")
    )
    allow_transfers = forms.BooleanField(label=_("People may hand their seat to a friend"), required=False)
    verified_only = forms.BooleanField(label=_("Only people with a confirmed e-mail may register"), required=False)
    checkin_opens_at = moment(_("The door opens"), required=False, help_text=_("Empty: three hours before the start."))
    checkin_closes_at = moment(
        _("The door closes"), required=False, help_text=_("Empty: at the end, or a day after the start.")
    )
    contact = text(
        _("Replies go to"), type="email", required=False, help_text=_("An e-mail address that everybody can see.")
    )
    organizer_news = forms.ChoiceField(
        label=_("Mails to you about who asks, comes and cancels"),
        choices=[(choice, choice.label.capitalize()) for choice in Event.News],
        required=False,
    )

    def given(self) -> dict[str, Any]:
        given = super().given()
        place = ZoneInfo(given["timezone"])
        for name in TIMES:
            given[name] = self.unchanged(name) or (instant(self, name, place) if given[name] else None)
        tags = [tag.strip() for tag in given["tags"].split(",")]
        given |= {"tags": [tag for tag in tags if tag], "contact": given["contact"] or None}
        return given | {"organizer_news": given["organizer_news"] or Event.News.REQUESTS}

    def unchanged(self, name: str) -> str | None:
        """The time as it is, to the microsecond, where the field still shows it: browsers take milliseconds."""
        is_shown = self.cleaned_data[name] and self.cleaned_data[name] == self.initial.get(name)
        return self.initial["exact"][name] if is_shown else None

    @staticmethod
    def initial_of(event: Event) -> dict[str, Any]:
        place = ZoneInfo(event.timezone)
        shown = {name: getattr(event, name) for name in EventForm.base_fields}
        times = {name: shown[name].astimezone(place) for name in TIMES if shown[name]}
        for name, at in times.items():
            local = at.replace(tzinfo=None).isoformat(timespec="milliseconds")
            shown[name] = local.removesuffix(".000").removesuffix(":00")
        return shown | {"tags": ", ".join(event.tags), "exact": {name: at.isoformat() for name, at in times.items()}}


class NewEventForm(EventForm):
    serializer_class = NewEventSerializer

    status = forms.CharField(required=False, widget=forms.HiddenInput)

    def given(self) -> dict[str, Any]:
        """Which of the two buttons was pressed says whether it is a draft."""
        given = super().given()
        return given | {"status": given["status"] or Event.Status.PUBLISHED}


class ReasonForm(Form):
    serializer_class = ReasonSerializer

    reason = text(
        _("Why?"),
        type="area",
        widget=forms.Textarea,
        required=False,
        help_text=_("Whoever gets the mail reads it there; at most 500 characters."),
    )


class ReportForm(Form):
    serializer_class = ReportSerializer

    kind = forms.ChoiceField(label=_("What is wrong with it?"), choices=Report.Kind.choices, widget=forms.RadioSelect)
    text = text(_("What should we know?"), type="area", widget=forms.Textarea, required=False)


# ── Team ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


class InviteForm(Form):
    serializer_class = InviteSerializer

    email = text(_("E-mail"), type="email")
    role = forms.ChoiceField(
        label=_("As what?"),
        choices=[("door", _("At the door: scans tickets")), ("manager", _("Manager: does what you do"))],
        widget=forms.RadioSelect,
    )


class HandoverForm(Form):
    serializer_class = HandoverSerializer

    email = text(_("E-mail of the new owner"), type="email")


class DoorPassForm(Form):
    serializer_class = NewDoorPassSerializer

    label = text(_("For whom?"), help_text=_("Such as: entrance on the left"))
