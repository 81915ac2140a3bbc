"""Accounts for the administrators' eyes. What ends tokens through the API ends them here as well."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.admin.options import InlineModelAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminPasswordChangeForm, AdminUserCreationForm
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from rest_framework.exceptions import Throttled

from jointoit.accounts import account_closing, login_throttle, tokens
from jointoit.accounts.models import ApiKey, RefreshToken, User
from jointoit.accounts.serializers import ProfileSerializer
from jointoit.api.admin import ReadOnlyInline, SameFieldsForm, UndeletableAdmin
from jointoit.api.throttling import throttle
from jointoit.api.throttling.client_address import client_address

#: A change of these makes tokens given out before it worthless.
ENDING = frozenset({"email", "is_active"})


class ThrottledLoginForm(AdminAuthenticationForm):
    """The rates of logging in hold here too: by address in a count of its own, by account together with the API."""

    def clean(self) -> dict[str, Any]:
        request = self.request
        assert request is not None
        address, now = client_address(request), timezone.now()
        try:
            spent = throttle.consume("login", f"admin:{address}", now)
            if spent and not spent.allowed:
                raise Throttled(wait=spent.retry_after)
            login_throttle.refuse(
                login=self.cleaned_data.get("username") or "", origin=tokens.keyed_hash("origin", address), now=now
            )
        except Throttled:
            raise forms.ValidationError("Too many attempts. Try again later.", code="throttled") from None
        return super().clean()


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


class NewPasswordForm(AdminPasswordChangeForm):  # type: ignore[type-arg]  # cannot be subscripted at run time
    def save(self, commit: bool = True) -> User:
        self.user.end_tokens()
        user: User = super().save(commit)
        return user


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


@admin.register(User)
class UserAdmin(DjangoUserAdmin[User]):
    inlines: ClassVar[tuple[type[InlineModelAdmin[Any, Any]], ...]] = (KeyInline,)

    def get_inlines(self, request: HttpRequest, obj: User | None) -> Any:
        """Who is added has nothing yet."""
        return super().get_inlines(request, obj) if obj else ()

    add_form, form, change_password_form = SignUpForm, ChangeForm, NewPasswordForm
    list_display = ("username", "email", "email_verified", "is_active", "is_staff", "date_joined")
    list_filter = ("is_active", "email_verified", "is_staff", "date_joined")
    search_fields = ("username", "email", "first_name", "last_name")
    ordering = ("-pk",)
    readonly_fields = ("date_joined", "last_login", "pending_email")
    actions = ("deactivate",)
    fieldsets = (
        (None, {"fields": ("username", "email", "email_verified", "pending_email")}),
        ("About", {"fields": ("first_name", "last_name", "timezone", "date_joined", "last_login")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("username", "email", "password1", "password2")}),)

    @admin.action(description="Deactivate, and end every token", permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        shut = account_closing.deactivate(user_ids=queryset.values_list("pk", flat=True))
        self.message_user(request, f"{shut} deactivated.", messages.SUCCESS)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False  # others refer to the row: accounts are deactivated, or closed by their owners

    @transaction.atomic
    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        if change and ENDING & set(form.changed_data):
            obj.end_tokens()
        super().save_model(request, obj, form, change)


@admin.register(RefreshToken)
class RefreshTokenAdmin(UndeletableAdmin):
    list_display = ("user", "family", "expires_at", "used_at")
    list_select_related = ("user",)
    search_fields = ("user__username", "user__email", "family")
    ordering = ("-expires_at",)


@admin.register(ApiKey)
class ApiKeyAdmin(UndeletableAdmin):
    list_display = ("__str__", "user", "name", "scopes", "last_used_at", "expires_at", "revoked_at")
    list_select_related = ("user",)
    search_fields = ("user__username", "user__email", "name")
    exclude = ("digest",)
    ordering = ("-pk",)
