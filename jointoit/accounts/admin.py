"""Accounts for the administrators' eyes. What ends tokens through the API ends them here as well."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.admin.options import InlineModelAdmin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from rest_framework.exceptions import Throttled

from jointoit.accounts import account_closing, export, login_throttle, profile
from jointoit.accounts.admin_sessions import browser_of
from jointoit.accounts.hashing import HashingBusy
from jointoit.accounts.models import ApiKey, CalendarAddress, FormerAddress, LoginPlace, RefreshToken, SpentToken, User
from jointoit.accounts.serializers import ProfileSerializer
from jointoit.api import security_log
from jointoit.api.admin import Panel, ReadOnlyInline, RuledAdmin, SameFieldsForm, UndeletableAdmin, folded
from jointoit.api.http.rendering import JSONResponse
from jointoit.errors import DomainError
from jointoit.journal.models import Fact
from jointoit.mail.models import OutboxMail

#: What only superusers give and take.
RIGHTS = ("is_staff", "is_superuser", "groups", "user_permissions")
#: By what the rows of a person are found.
OF_PERSON = folded("user__username", "user__first_name", "user__last_name", "user__email")


class ThrottledLoginForm(AdminAuthenticationForm):
    """Failures are counted as at the API's log-in, together with them."""

    def clean(self) -> dict[str, Any]:
        request, now = self.request, timezone.now()
        assert request is not None
        login, cookie = self.cleaned_data.get("username") or "", browser_of(request)
        try:
            with login_throttle.attempt(
                request, login=login, failure=forms.ValidationError, now=now, cookie=cookie, action="admin_login"
            ):
                cleaned = super().clean()
        except Throttled:
            raise forms.ValidationError("Too many attempts. Try again later.", code="throttled") from None
        except HashingBusy as busy:
            raise forms.ValidationError(str(busy), code=busy.code) from None
        user: User | None = self.user_cache
        if user is not None:
            login_throttle.remember(user, request=request, now=now, action="admin_login")
        return cleaned


admin.site.login_form = ThrottledLoginForm


class SignUpForm(SameFieldsForm, AdminUserCreationForm[User]):
    serializer_class = ProfileSerializer

    class Meta:
        model = User
        fields = ("username", "email")


class ChangeForm(SameFieldsForm):
    serializer_class = ProfileSerializer

    class Meta:
        model = User
        fields = (
            "username",
            "email",
            "email_verified",
            "first_name",
            "last_name",
            "timezone",
            "is_active",
            "is_staff",
            "is_superuser",
            "groups",
            "user_permissions",
        )


class KeyInline(ReadOnlyInline):
    """How each key begins, what it is for, and what was done with it."""

    model = ApiKey
    verbose_name_plural = "keys for programs"
    fields = readonly_fields = (
        "beginning",
        "name",
        "scopes",
        "events",
        "last_used_at",
        "expires_at",
        "revoked_at",
        "done",
    )

    @admin.display(description="key")
    def beginning(self, key: ApiKey) -> str:
        return f"{key}…"

    @admin.display(description="what was done with it")
    def done(self, key: ApiKey) -> SafeString:
        address = reverse("admin:journal_fact_changelist")
        return format_html('<a href="{}?actor_kind=key&amp;actor_id={}">facts</a>', address, key.pk)


MAILS = Panel(
    "Mails",
    OutboxMail,
    lambda user: {"recipient": user.email},
    {"What": "kind", "State": "state", "Answer of the server": "last_answer", "Promised": "created_at"},
)
#: Nothing finds them fast, so they are looked for only where somebody follows the link.
DEEDS = Panel(
    "What they did", Fact, lambda user: {"actor_id": user.pk, "actor_kind__in": [*export.IN_PERSON]}, columns={}
)


def is_superuser(request: HttpRequest) -> bool:
    return request.user.is_active and request.user.is_superuser


@admin.register(User)
class UserAdmin(RuledAdmin, DjangoUserAdmin[User]):
    inlines: ClassVar[tuple[type[InlineModelAdmin[Any, Any]], ...]] = (KeyInline,)
    panels: ClassVar[Sequence[Panel]] = (MAILS, DEEDS)

    def get_inlines(self, request: HttpRequest, obj: User | None) -> Any:
        """Who is added has nothing yet."""
        return super().get_inlines(request, obj) if obj else ()

    add_form, form = SignUpForm, ChangeForm
    list_display = ("username", "email", "email_verified", "is_active", "is_staff", "date_joined")
    list_filter = ("is_active", "email_verified", "is_staff", "date_joined")
    search_fields = folded("username", "email", "first_name", "last_name")
    ordering = ("-pk",)
    readonly_fields = ("date_joined", "last_login", "pending_email")
    actions = ("deactivate", "end_sessions", "export_person")
    fieldsets = (
        (None, {"fields": ("username", "email", "email_verified", "pending_email")}),
        ("About", {"fields": ("first_name", "last_name", "timezone", "date_joined", "last_login")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("username", "email", "password1", "password2")}),)

    @admin.action(description="Deactivate, and end every token", permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        allowed = [user.pk for user in queryset if self.has_change_permission(request, user)]
        try:
            shut = account_closing.deactivate(user_ids=allowed)
        except DomainError as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
        else:
            self.message_user(request, f"{shut} deactivated.", messages.SUCCESS)

    @admin.action(description="Sign out everywhere, and end keys", permissions=["end_sessions"])
    def end_sessions(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        ended = account_closing.end_access(user_ids=queryset.values_list("pk", flat=True))
        self.message_user(request, f"{ended} signed out.", messages.SUCCESS)

    @admin.action(description="Export everything about the selected person", permissions=["export"])
    def export_person(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        """For whoever asks by letter: the document that they could ask for themselves."""
        if queryset.count() != 1:
            self.message_user(request, "Choose one person.", messages.ERROR)
            return None
        person = queryset.get()
        security_log.note("export", "ok", user_id=person.pk, by=request.user.pk)
        name = {"Content-Disposition": f'attachment; filename="personal-data-{person.pk}.json"'}
        return JSONResponse(export.document(person), headers=name)

    def has_export_permission(self, request: HttpRequest) -> bool:
        """It shows what rights to single tables would not."""
        return is_superuser(request)

    def has_end_sessions_permission(self, request: HttpRequest) -> bool:
        return is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Staff who are no superusers change ordinary accounts and their own, never each other's."""
        is_above = obj is not None and (obj.is_staff or obj.is_superuser) and obj.pk != request.user.pk
        return super().has_change_permission(request, obj) and (is_superuser(request) or not is_above)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        return fields if is_superuser(request) else (*fields, *RIGHTS)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        """One's own is changed where the present one is asked for."""
        if id == str(request.user.pk):
            return redirect("admin:password_change")
        return super().user_change_password(request, id, form_url)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False  # others refer to the row: accounts are deactivated, or closed by their owners

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Of a row that is there only what was changed in the form is written, on top of what it is by now."""
        if not change:
            super().save_model(request, obj, form, change)
            return
        columns = {field.name for field in User._meta.concrete_fields}
        values = {name: form.cleaned_data[name] for name in form.changed_data if name in columns}
        assert isinstance(request.user, User)
        if given := sorted({*form.changed_data} & {*RIGHTS}):
            security_log.note("rights", "ok", user_id=obj.pk, rights=given, by=request.user.pk)
        saved = profile.update_as_staff(user_id=obj.pk, values=values, by=request.user, now=timezone.now())
        if saved.pending_email and "email" in values:
            self.message_user(request, "The new e-mail waits until both addresses have agreed.", messages.WARNING)


admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin):
    """A group gives permissions: only superusers make and change them."""

    def save_model(self, request: HttpRequest, obj: Group, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        security_log.note("rights", "ok", group=obj.pk, by=request.user.pk)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return is_superuser(request)


@admin.register(RefreshToken)
class RefreshTokenAdmin(UndeletableAdmin):
    list_display = ("user", "family", "expires_at", "used_at")
    list_select_related = ("user",)
    search_fields = (*OF_PERSON, "family")
    ordering = ("-expires_at",)


@admin.register(FormerAddress)
class FormerAddressAdmin(UndeletableAdmin):
    """Addresses that nobody else gets yet, because who reads them may take the account back."""

    list_display = ("user", "address", "until")
    list_select_related = ("user",)
    search_fields = (*OF_PERSON, *folded("address"))
    ordering = ("-pk",)


@admin.register(LoginPlace)
class LoginPlaceAdmin(UndeletableAdmin):
    list_display = ("user", "seen_at")
    list_select_related = ("user",)
    search_fields = OF_PERSON
    exclude = ("origin",)
    ordering = ("-seen_at",)


@admin.register(CalendarAddress)
class CalendarAddressAdmin(UndeletableAdmin):
    list_display = ("user", "made_at")
    list_select_related = ("user",)
    search_fields = OF_PERSON
    exclude = ("digest",)
    ordering = ("-made_at",)


@admin.register(SpentToken)
class SpentTokenAdmin(UndeletableAdmin):
    list_display = ("digest", "until")
    search_fields = ("digest",)
    ordering = ("-until",)


@admin.register(ApiKey)
class ApiKeyAdmin(UndeletableAdmin):
    list_display = ("__str__", "user", "name", "scopes", "last_used_at", "expires_at", "revoked_at")
    list_select_related = ("user",)
    search_fields = (*OF_PERSON, *folded("name"))
    exclude = ("digest",)
    ordering = ("-pk",)
