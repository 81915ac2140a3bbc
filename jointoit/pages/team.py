"""Who helps with an event, and what one is asked to help with."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from jointoit.api.lists.pagination import first_rows
from jointoit.errors import DomainError
from jointoit.events import door_passes, team, team_queries
from jointoit.events.models import Event, Invitation
from jointoit.mail import links
from jointoit.mail.times import moment
from jointoit.pages.accounts import ROLES, whole_number
from jointoit.pages.base import PageView, demand
from jointoit.pages.forms import DoorPassForm, HandoverForm, InviteForm
from jointoit.pages.manage import ManageView

MOST = 200  # of each kind on the page


class TeamView(ManageView):
    """A few small forms, told apart by the name of their button."""

    tab = "team"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self.page(self.find(pk))

    def page(self, event: Event, status: int = 200, **more: Any) -> HttpResponse:
        offers = team_queries.invitations(owner=event.organizer_id, event=event.pk, now=self.now)
        passes = team_queries.door_passes(event=event.pk, now=self.now)
        members = first_rows(team_queries.team(owner=event.organizer_id, event=event.pk), MOST)
        shown = {
            "members": [row | {"role_name": ROLES[row["role"]]} for row in members],
            "offers": [
                row | {"role_name": ROLES[row["role"]], "until": moment(row["expires_at"], event.timezone)}
                for row in first_rows(offers, MOST)
            ],
            "passes": [row | {"until": moment(row["expires_at"], event.timezone)} for row in first_rows(passes, MOST)],
            "owner": event.organizer,
            "invite_form": InviteForm(),
            "handover_form": HandoverForm(),
            "pass_form": DoorPassForm(),
        }
        return self.show("team", event, status, **shown | more)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        event, do = self.find(pk), request.POST.get("do", "")
        if do in ("invite", "handover"):
            return self.offer(event, do)
        if do == "pass":
            return self.make_pass(event)
        member = whole_number(request.POST.get("id"))
        if do == "remove":
            team.remove(caller=self.caller, event_id=pk, membership_id=member, now=self.now)
        elif do == "withdraw":
            team.withdraw(caller=self.caller, event_id=pk, invitation_id=member, now=self.now)
        elif do == "withdraw_handover":
            team.withdraw(caller=self.caller, event_id=pk, invitation_id=None, now=self.now)
        elif do == "end_pass":
            door_passes.revoke(caller=self.caller, event_id=pk, pass_id=member, now=self.now)
        return redirect("page-manage-team", pk)

    def offer(self, event: Event, do: str) -> HttpResponse:
        form = InviteForm(self.request.POST) if do == "invite" else HandoverForm(self.request.POST)
        if form.is_valid():
            demand("invite", f"user:{self.person.pk}", now=self.now)
            act = team.invite if do == "invite" else team.offer_handover
            try:
                act(caller=self.caller, event_id=event.pk, now=self.now, **form.cleaned_data)
            except DomainError as error:
                form.refuse(error)
            else:
                messages.success(self.request, _("A mail with the invitation is on its way. It is good for 7 days."))
                return redirect("page-manage-team", event.pk)
        return self.page(event, 400, **{f"{do}_form": form})

    def make_pass(self, event: Event) -> HttpResponse:
        form = DoorPassForm(self.request.POST)
        if form.is_valid():
            label = form.cleaned_data["label"]
            _pass, text = door_passes.create(caller=self.caller, event_id=event.pk, label=label, now=self.now)
            return self.page(event, new_pass=f"{settings.PUBLIC_URL}/door/enter/{text}/")
        return self.page(event, 400, pass_form=form)


class InvitationsView(PageView):
    """What I am asked to help with; `token` comes from the mail, and opens only for whoever has its address."""

    needs_account = True

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show(request.GET.get("token", ""))

    def show(self, token: str, status: int = 200, refusal: str = "") -> HttpResponse:
        person = self.person
        found = team_queries.invitations(address=person.email, now=self.now) if person.email_verified else None
        rows = [
            row | {"role_name": ROLES[row["role"]], "until": moment(row["expires_at"], person.timezone)}
            for row in (first_rows(found, MOST) if found else [])
        ]
        state = self.state_of(token) if token else ""
        return self.render("invitations", status, rows=rows, state=state, refusal=refusal)

    def state_of(self, token: str) -> str:
        """Why the invitation of a mail is not among those shown, if it is not: `old`, `unverified` or `other`."""
        try:
            offer = Invitation.objects.filter(pk=links.invitation_of(token), settled_at=None).first()
        except links.BadToken:
            return "old"
        if offer is None or offer.expires_at <= self.now:
            return "old"
        if offer.email.upper() != self.person.email.upper():
            return "other"
        return "" if self.person.email_verified else "unverified"

    def post(self, request: HttpRequest) -> HttpResponse:
        act = team.accept if request.POST.get("do") == "accept" else team.decline
        try:
            taken = act(user=self.person, invitation_id=whole_number(request.POST.get("id")), now=self.now)
        except DomainError as error:
            return self.show("", 409, refusal=str(error))
        if act is team.decline:
            messages.success(request, _("Declined."))
            return redirect(reverse("page-invitations"))
        messages.success(request, _("Thank you for helping."))
        is_managing = taken.event_id and taken.role != Invitation.Role.DOOR
        return redirect("page-manage-event", taken.event_id) if is_managing else redirect("page-manage")
