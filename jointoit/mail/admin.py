"""The outbox as an operator sees it: to look, to try again, and to hold or release all mail."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.safestring import SafeString

from jointoit.api.admin import MOST, UndeletableAdmin, ask, folded
from jointoit.mail import payload, rendering, send_control, stops, tasks
from jointoit.mail.models import MailStop, OutboxMail, SendControl
from jointoit.mail.policy import GIVE_UP_AFTER
from jointoit.mail.ticket import masked_ticket
from jointoit.process import database_clock

FRAME = "<iframe sandbox srcdoc='{}' title='HTML' style='width: 40rem; max-width: 100%; height: 40rem'></iframe>"
MASKED = "•" * 12


def masked_token(*_: object, **__: object) -> str:
    """An operator may read a mail, but not act as its reader."""
    return MASKED


def preview(mail: OutboxMail) -> rendering.Content | None:
    """The mail as it would be written now, or None where it cannot be."""
    try:
        message = payload.load(mail.kind, mail.payload)
        names = (
            "mint", "mint_unsubscribe", "mint_invitation", "mint_transfer", "mint_stop", "mint_not_me",
            "mint_registration", "mint_visitor",
        )  # fmt: skip
        masked: dict[str, rendering.Mint] = dict.fromkeys(names, masked_token)
        return rendering.write(message, ticket_of=masked_ticket, **masked)
    except Exception:  # noqa: BLE001  the failure that its last answer tells of, or a payload that was erased
        return None


@admin.register(OutboxMail)
class OutboxMailAdmin(UndeletableAdmin):
    """What was promised is not edited; the actions ask for a permission of their own."""

    list_display = ("id", "kind", "recipient", "state", "attempt", "last_answer", "not_before", "created_at")
    list_filter = ("state", "kind", "priority")
    search_fields = (*folded("recipient"), "reader__unaccent", "^dedupe_key", "=message_id")
    ordering = ("-id",)
    show_full_result_count = False
    actions = ("try_again",)
    change_list_template = "admin/mail/outbox.html"
    fieldsets = (
        (None, {"fields": ("kind", "recipient", "state", "last_answer")}),
        ("What it says", {"fields": ("subject", "text", "html")}),
        (
            "Sending",
            {
                "fields": (
                    "priority",
                    "attempt",
                    "failures",
                    "not_before",
                    "expires_at",
                    "give_up_at",
                    "claim",
                    "lease_until",
                    "settled_at",
                )
            },
        ),
        ("Promise", {"fields": ("created_at", "dedupe_key", "message_id", "payload")}),
    )
    readonly_fields = ("subject", "text", "html")

    def get_queryset(self, request: HttpRequest) -> Any:
        """With the name of whom each is for, to search by."""
        name = KeyTextTransform("name", KeyTextTransform("to", "payload"))
        return super().get_queryset(request).annotate(reader=name)

    def has_send_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("mail.change_outboxmail")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """With a switch for all mail: Django's actions are about chosen rows, and there may be none."""
        may_send = self.has_send_permission(request)
        if request.method == "POST" and "sending" in request.POST and may_send:
            self.turn(request.POST["sending"], by=str(request.user))
            return HttpResponseRedirect(request.get_full_path())
        switch = SendControl.objects.filter(pk=1).first() or SendControl()
        waiting = OutboxMail.objects.filter(state=OutboxMail.State.PENDING)
        people = waiting.values("recipient").distinct().count() if switch.held_at else 0
        shown = {"control": switch, "may_send": may_send, "people": people}
        return super().changelist_view(request, shown | (extra_context or {}))

    def turn(self, switch: str, *, by: str) -> None:
        if switch == "hold":
            send_control.hold(because=f"Held by {by}.", now=database_clock.now())
        else:
            send_control.release(now=database_clock.now())
            tasks.notify_worker()

    # ── The mail ──────────────────────────────────────────────────────────────────────────────────────────────────────

    @admin.display(description="subject")
    def subject(self, mail: OutboxMail) -> str:
        content = preview(mail)
        return content.subject if content else "cannot be written"

    @admin.display(description="text")
    def text(self, mail: OutboxMail) -> str | SafeString:
        content = preview(mail)
        return format_html("<pre style='white-space: pre-wrap'>{}</pre>", content.text) if content else "-"

    @admin.display(description="HTML")
    def html(self, mail: OutboxMail) -> str | SafeString:
        """In a frame without any rights: what stands in a mail comes from users."""
        content = preview(mail)
        return format_html(FRAME, content.html) if content else "-"

    # ── What an operator can do ───────────────────────────────────────────────────────────────────────────────────────

    @admin.action(description="Try the selected mails again", permissions=["send"])
    def try_again(self, request: HttpRequest, chosen: QuerySet[OutboxMail]) -> HttpResponse | None:
        """Those that wait, now; those that are dead or expired, once more for the full time."""
        now = database_clock.now()
        settled = [OutboxMail.State.SENT, OutboxMail.State.SUPERSEDED]
        unsent = chosen.filter(claim=None).exclude(state__in=settled).exclude(recipient="")
        people = unsent.order_by().values("recipient").distinct().count()
        if question := ask(self, request, [f"{mail} to {mail.recipient}" for mail in unsent[:MOST]], people=people):
            return question
        number = unsent.update(
            state=OutboxMail.State.PENDING,
            failures=0,
            not_before=now,
            expires_at=None,
            settled_at=None,
            give_up_at=now + GIVE_UP_AFTER,
        )
        tasks.notify_worker()
        self.message_user(request, f"{number} will be tried again.", messages.SUCCESS)
        return None


@admin.register(SendControl)
class SendControlAdmin(UndeletableAdmin):
    """Whether mail goes out, and why not. "Hold" and "release" stand above the list of mails."""

    list_display = ("__str__", "held_at", "down_since", "down_answer", "probe_at")


@admin.register(MailStop)
class MailStopAdmin(admin.ModelAdmin[MailStop]):
    """Whoever wants mail again may have a stop deleted; it is found by the whole address, which is not kept."""

    list_display = ("topic", "created_at")
    list_filter = ("topic",)
    search_fields = ("digest",)
    readonly_fields = ("digest", "topic", "created_at")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[MailStop], search_term: str
    ) -> tuple[QuerySet[MailStop], bool]:
        return queryset.filter(digest=stops.digest_of(search_term.strip())) if search_term else queryset, False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
