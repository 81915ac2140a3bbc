"""What other apps' admins build on: the same rules as the API has, and rows to look at and never to edit."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.db import OperationalError
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from rest_framework import serializers

from jointoit.api import database
from jointoit.api.models import IdempotencyKey, RateBucket
from jointoit.api.problems.catalogue import known
from jointoit.api.problems.validation import entries
from jointoit.errors import DomainError

admin.site.site_header = admin.site.site_title = "Jointoit"
admin.site.index_title = "Support"

#: How many rows a panel shows, and a question names.
MOST: Final = 10


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


# ── Panels: what belongs to a row ─────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Panel:
    """The newest rows of another table on the page of what they belong to, and a link to all of them.

    `columns` are fields by what stands above them; without any there is the link alone. `belongs` says how the rows of
    an object are found, in its list too. Who may not look at the table sees no panel of it.
    """

    title: str
    model: type[Model]
    belongs: Callable[[Any], Mapping[str, Any]]
    columns: Mapping[str, str]
    newest_first: str = "-pk"

    def may_view(self, request: HttpRequest) -> bool:
        meta = self.model._meta
        return any(request.user.has_perm(f"{meta.app_label}.{verb}_{meta.model_name}") for verb in ("view", "change"))

    def read(self, obj: Any) -> dict[str, Any]:
        """`{title, head, rows: [(address, cells)], all}`; one statement, and `all` is an address."""
        wanted, route = self.belongs(obj), f"admin:{self.model._meta.app_label}_{self.model._meta.model_name}"
        found = self.model._default_manager.filter(**wanted).order_by(self.newest_first)[:MOST]
        rows = found.values_list("pk", *self.columns.values()) if self.columns else []
        asked = {
            name: ",".join(map(str, value)) if name.endswith("__in") else value for name, value in wanted.items()
        }  # fmt: skip
        return {
            "title": self.title,
            "head": self.columns,
            "rows": [(reverse(f"{route}_change", args=[pk]), cells) for pk, *cells in rows],
            "all": f"{reverse(f'{route}_changelist')}?{urlencode(asked)}",
        }


class PanelAdmin(admin.ModelAdmin[Any]):
    """Shows with a row what belongs to it. Apps above add panels of their own tables."""

    change_form_template = "admin/with_panels.html"
    panels: ClassVar[Sequence[Panel]] = ()

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        obj = self.get_object(request, unquote(object_id)) if request.method == "GET" else None
        shown = [panel.read(obj) for panel in self.panels if obj and panel.may_view(request)]
        more = {"panels": shown, "note": self.note(obj) if obj else ""}
        return super().change_view(request, object_id, form_url, more | (extra_context or {}))

    def note(self, obj: Any) -> str:
        """What to know before the form is sent."""
        return ""


# ── Steps: by the rules, and after a question ─────────────────────────────────────────────────────────────────────────


def ask(
    model_admin: admin.ModelAdmin[Any],
    request: HttpRequest,
    names: Sequence[str],
    *,
    people: int,
    sentence: str = "",
    note: str = "",
) -> HttpResponse | None:
    """The page that says how many people get a mail and what it is about; None where that was read and agreed to.

    `sentence` says something else than that number, `note` something besides.

    Who agreed is asked anew where it is another number by now.
    """
    if request.POST.get("people") == str(people):
        return None
    chosen = model_admin.get_actions(request)[request.POST["action"]]
    assert chosen
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"{chosen[2]}?",
        "opts": model_admin.opts,
        "people": people,
        "sentence": sentence,
        "note": note,
        "names": names[:MOST],
        "more": len(names[MOST:]),
        "carried": [
            (field, value)
            for field in ("action", "select_across", "index", ACTION_CHECKBOX_NAME)
            for value in request.POST.getlist(field)
        ],
    }
    return TemplateResponse(request, "admin/ask.html", context)


class RuledAdmin(PanelAdmin):
    """Says on the page why a rule refused, instead of failing."""

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except (DomainError, OperationalError) as error:
            if (refusal := refusal_of(error)) is None:
                raise
            self.message_user(request, refusal, messages.ERROR)
            return redirect(request.get_full_path())

    def name_of(self, row: Any) -> str:
        return str(row)

    def take_step(
        self,
        request: HttpRequest,
        rows: Iterable[Model],
        step: Callable[[Any], object],
        done: str,
        *,
        people: int,
        sentence: str = "",
        note: str = "",
    ) -> HttpResponse | None:
        """Each row for itself, once it is agreed that so many people get a mail, or to the sentence about the number.

        What a rule refuses of one stands in the way of no other.
        """
        rows, taken = list(rows), 0
        names = [self.name_of(row) for row in rows]
        if question := ask(self, request, names, people=people, sentence=sentence, note=note):
            return question
        for row in rows:
            try:
                step(row)
                taken += 1
            except (DomainError, OperationalError) as error:
                if (refusal := refusal_of(error)) is None:
                    raise
                self.message_user(request, f"{self.name_of(row)}: {refusal}", messages.ERROR)
        self.message_user(request, f"{done}: {taken}.", messages.SUCCESS if taken else messages.WARNING)
        return None


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
