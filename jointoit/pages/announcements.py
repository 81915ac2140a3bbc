"""News to those who come: written, counted, and sent after a look at both."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from jointoit.api.lists.pagination import first_rows
from jointoit.errors import TooOften
from jointoit.events import booking
from jointoit.events.models import Event
from jointoit.mail.times import moment
from jointoit.organizing import announcements, queries
from jointoit.organizing.models import Announcement
from jointoit.pages.accounts import whole_number
from jointoit.pages.manage import ManageView, mails
from jointoit.pages.tool_forms import AnnouncementForm

MOST = 20  # of the newest ones


class AnnouncementsView(ManageView):
    """The first press of the button shows whom it goes to, the second sends it."""

    tab = "announcements"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self.page(self.find(pk), AnnouncementForm())

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        event, form = self.find(pk), AnnouncementForm(request.POST)
        do = request.POST.get("do", "")
        if not form.is_valid() or do == "edit":
            return self.page(event, form, 400 if form.errors else 200)
        if do != "send":
            return self.preview(event, form)
        try:
            sent = self.send(event, form.cleaned_data)
        except TooOften as error:
            form.refuse(error)
            return self.page(event, form, 429)
        if sent:
            messages.success(request, mails(sent.recipients))
        else:
            messages.warning(request, _("Another announcement was sent meanwhile: look at it, and send this one then."))
        return redirect("page-manage-announcements", pk)

    def send(self, event: Event, values: dict[str, Any]) -> Announcement | None:
        """None where one was sent since the reader looked: a second press of the button sends nothing twice."""
        with transaction.atomic():
            booking.lock(event.pk)
            if newest(event) != whole_number(self.request.POST.get("newest")):
                return None
            return announcements.announce(caller=self.caller, event_id=event.pk, now=self.now, **values)

    def preview(self, event: Event, form: AnnouncementForm) -> HttpResponse:
        told = mails(announcements.recipients(event, form.cleaned_data["to"]).count())
        return self.show("announcement", event, form=form, values=form.cleaned_data, told=told, newest=newest(event))

    def page(self, event: Event, form: AnnouncementForm, status: int = 200) -> HttpResponse:
        written = first_rows(queries.announcements(event=event.pk), MOST)
        progress = announcements.progress([row["id"] for row in written])
        rows = [row | progress[row["id"]] | {"at": moment(row["created_at"], event.timezone)} for row in written]
        return self.show("announcements", event, status, form=form, rows=rows)


def newest(event: Event) -> int:
    """The id of the newest announcement, or 0."""
    return event.announcements.values_list("pk", flat=True).order_by("-pk").first() or 0
