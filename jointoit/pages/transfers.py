"""A seat that somebody hands on: the page to which the mail with the offer leads."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from jointoit.api.problems.mapping import problem_of
from jointoit.errors import DomainError
from jointoit.events import team
from jointoit.mail import links
from jointoit.mail.times import when
from jointoit.organizing import transfers
from jointoit.organizing.models import Transfer
from jointoit.pages.base import PageView


class TransferView(PageView):
    """`token` comes from the mail, and opens only for whoever has its address."""

    needs_account = True

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show(request.GET.get("token", ""))

    def post(self, request: HttpRequest) -> HttpResponse:
        token = request.POST.get("token", "")
        act = transfers.accept if request.POST.get("do") == "accept" else transfers.decline
        try:
            received = act(user=self.person, transfer_id=links.transfer_of(token), now=self.now)
        except DomainError as error:
            problem = problem_of(error, request)
            assert problem
            return self.show(token, problem.status, refusal=problem.detail)
        if received is None:
            messages.success(request, _("Declined. The seat stays where it was."))
            return redirect("page-events")
        messages.success(request, _("The seat is yours. A mail with your ticket is on its way."))
        return redirect("page-registration", received.pk)

    def show(self, token: str, status: int = 200, refusal: str = "") -> HttpResponse:
        offer = self.find(token)
        shown: dict[str, Any] = {"state": self.state_of(offer), "token": token, "refusal": refusal}
        if offer and not shown["state"]:
            event = offer.registration.event
            shown |= {
                "event": event,
                "giver": offer.registration.attendee.get_full_name(),
                "when": when(event, event.timezone),
            }
        return self.render("transfer", status, **shown)

    def find(self, token: str) -> Transfer | None:
        """The offer, if it is open still."""
        try:
            pk = links.transfer_of(token)
        except links.BadToken:
            return None
        offers = Transfer.objects.filter(pk=pk, settled_at=None)
        return offers.select_related("registration__event", "registration__attendee").first()

    def state_of(self, offer: Transfer | None) -> str:
        """Why nothing can be accepted: `old`, `other` or `unverified`; empty where it can."""
        if offer is None:
            return "old"
        try:
            transfers.refuse(offer.registration, now=self.now)
        except DomainError:
            return "old"
        if not team.is_address_of(self.person, offer.email):
            return "other"
        return "" if self.person.email_verified else "unverified"
