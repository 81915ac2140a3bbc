"""What the links of mails open that let somebody in: opening one changes nothing, the button behind it does.

Such a link leads to the page with its button, which has the token in its form and not in its address: so the form is
bound to the reader's browser by its CSRF token, and nobody is logged in to another's account unawares.
"""

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import auth, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from jointoit.accounts import addresses, login_links, login_throttle, proofs
from jointoit.accounts.login_links import Entry
from jointoit.accounts.models import User
from jointoit.errors import DomainError, Invalid
from jointoit.events import booking, event_queries, visitors
from jointoit.events.models import Registration
from jointoit.events.refusals import AlreadyRegistered
from jointoit.mail import links
from jointoit.mail.links import BadToken, Visitor
from jointoit.mail.times import when
from jointoit.pages.accounts import BACKEND
from jointoit.pages.base import PageView, demand, kept_by_nobody, next_of
from jointoit.pages.events import EventView, sentence_of, state_of
from jointoit.pages.forms import AddressForm, VisitorForm


class OpenedLinkView(PageView):
    """Takes the token out of the address and leads to the page that asks."""

    is_secret = True
    key: ClassVar[str]  # of the session, which keeps the token for that page
    question: ClassVar[str]  # the name of that page
    look: Callable[..., object]  # raises BadToken

    def get(self, request: HttpRequest) -> HttpResponse:
        token = request.GET.get("token", "")
        if self.user is None:  # who is logged in may have used it just now, which that page knows
            try:
                self.look(token=token)
            except BadToken:
                return dead_link(self)
            request.session.set_expiry(links.VISITOR_LIFETIME)  # it may name somebody who never comes
        request.session[self.key] = token
        return redirect(self.question)


class AskingView(PageView):
    """Has the button; what it does, and who gets in, say those below."""

    key: ClassVar[str]
    throttle_scope = "register"

    def get(self, request: HttpRequest) -> HttpResponse:
        token = request.session.get(self.key, "")
        if self.user and not token:  # the way back, after the button was pressed
            return redirect("page-mine")
        response = self.ask(token)
        kept_by_nobody(response)
        return response

    def ask(self, token: str) -> HttpResponse:
        raise NotImplementedError

    def sign_in(self, entry: Entry) -> None:
        self.request.session.pop(self.key, None)
        self.request.session.set_expiry(None)
        login_throttle.remember(entry.user, request=self.request, now=self.now, action="login_link")
        auth.login(self.request, entry.user, backend=BACKEND)
        if entry.lost_password:
            messages.warning(
                self.request,
                _(
                    "Nobody had confirmed this address before, so the password of the account and all its log-ins "
                    "are ended: somebody else may have set them. Set a new password under “Account”."
                ),
            )


def dead_link(view: PageView) -> HttpResponse:
    return view.render("dead_link", 400)


# ── Logging in ────────────────────────────────────────────────────────────────────────────────────────────────────────


class AskForLinkView(PageView):
    """Whoever forgot the password, or never had one, is sent a link."""

    throttle_scope = "reset"

    def get(self, request: HttpRequest) -> HttpResponse:
        if self.user:
            return redirect(next_of(request) or "page-mine")
        return self.render("login_link", form=AddressForm(), next=next_of(request))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = AddressForm(request.POST)
        if not form.is_valid():
            return self.render("login_link", 400, form=form, next=next_of(request))
        login_links.ask(email=form.cleaned_data["email"], now=self.now)
        if onward := next_of(request):
            request.session["next"] = onward
        return self.render("login_link", is_sent=True)


class OpenedLoginView(OpenedLinkView):
    key, question = "login_link", "page-login-confirm"
    look = staticmethod(login_links.holder_of)


class LoginByLinkView(AskingView):
    key = "login_link"

    def ask(self, token: str) -> HttpResponse:
        try:
            holder = login_links.holder_of(token=token)
        except BadToken:
            return self.dead()
        return self.render("login_confirm", holder=holder, token=token)

    def post(self, request: HttpRequest) -> HttpResponse:
        try:
            entry = login_links.use(token=request.POST.get("token", ""), reader=self.user, now=self.now)
        except BadToken:
            return self.dead()
        onward = request.session.pop("next", "")
        self.sign_in(entry)
        return redirect("page-account" if entry.lost_password else onward or "page-mine")

    def dead(self) -> HttpResponse:
        """Who pressed twice is in already."""
        return redirect("page-mine") if self.user else dead_link(self)


# ── Registering ───────────────────────────────────────────────────────────────────────────────────────────────────────


class RegisterByMailView(EventView):
    """The form on the page of an event for who is not logged in; opened as a page, it leads back there."""

    throttle_scope = "signup"  # it sends mail to whatever address, as signing up does

    def get(self, request: HttpRequest, pk: int, slug: str = "") -> HttpResponse:
        return redirect("page-event-short", pk)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        event = event_queries.visible_event(pk, caller=self.caller)
        if self.user:
            return redirect("page-event-short", pk)
        form = VisitorForm(request.POST)
        if not form.is_valid():
            return self.show(event, 400, visitor_form=form)
        demand("invite", f"to:{form.cleaned_data['email'].casefold()}", now=self.now)  # whoever asks, and from wherever
        try:
            visitors.ask(event_id=pk, now=self.now, **form.cleaned_data)
        except Invalid as error:
            form.refuse(error)
            return self.show(event, 400, visitor_form=form)
        except DomainError as error:
            return self.show(event, 409, refusal=str(error))
        return self.render("registration_link", event=event)


class OpenedRegistrationView(OpenedLinkView):
    key, question = "visitor", "page-register-confirm"
    look = staticmethod(visitors.look)


class RegisterByLinkView(AskingView):
    """Shows what for and as whom; the button lets in and asks for the seat, or leads to the questions before it."""

    key = "visitor"

    def ask(self, token: str) -> HttpResponse:
        try:
            visitor = visitors.look(token=token)
        except BadToken:
            return self.used(token)
        event = event_queries.visible_event(visitor.event_id, caller=self.caller)
        shown: dict[str, Any] = {"event": event, "when": when(event, event.timezone), "visitor": visitor}
        return self.render("register_confirm", **shown, state=state_of(event, now=self.now), token=token)

    def post(self, request: HttpRequest) -> HttpResponse:
        token = request.POST.get("token", "")
        try:
            visitor = links.visitor_of(token)
            entry = visitors.enter(token=token, reader=self.user, now=self.now)
        except BadToken:
            return self.used(token)
        self.sign_in(entry)
        return self.register(visitor.event_id, entry.user)

    def used(self, token: str) -> HttpResponse:
        """Who pressed twice, in a second tab or by the way back, is shown what came of it."""
        if self.user is None:
            return dead_link(self)
        try:
            visitor = links.visitor_of(token)
        except BadToken:
            return dead_link(self)
        if not addresses.is_same(visitor.address, self.user.email):
            return dead_link(self)
        return self.to_own(visitor)

    def to_own(self, visitor: Visitor) -> HttpResponseRedirect:
        live = Registration.objects.live().filter(event=visitor.event_id, attendee=self.user).first()
        return redirect("page-registration", live.pk) if live else redirect("page-event-short", visitor.event_id)

    def register(self, event_id: int, attendee: User) -> HttpResponse:
        """As the button on the page of the event does for who is logged in."""
        if event_queries.visible_event(event_id, caller=self.caller).question_count:
            return redirect("page-register", event_id)
        try:
            registration = booking.register(event_id=event_id, attendee=attendee, now=self.now)
        except AlreadyRegistered:
            return redirect("page-event-short", event_id)
        except DomainError as error:
            messages.error(self.request, str(error))
            return redirect("page-event-short", event_id)
        messages.success(self.request, sentence_of(registration))
        return redirect("page-registration", registration.pk)


# ── Showing that it is you ────────────────────────────────────────────────────────────────────────────────────────────


class OpenedProofView(PageView):
    """Brings the proof to the browser of who is logged in, whose settings then need no password."""

    needs_account = True
    is_secret = True

    def get(self, request: HttpRequest) -> HttpResponse:
        proof = request.GET.get("token", "")
        try:
            proofs.check(proof, user=self.person)
        except BadToken:
            return dead_link(self)
        request.session["proof"] = proof
        messages.success(request, _("It is you. You have 15 minutes to set a password, or to do without one."))
        return redirect("page-account")
