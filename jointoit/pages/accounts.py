"""Signing up, in and out, and what people say of themselves."""

from contextlib import suppress
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import auth, messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jointoit.accounts import (
    account_closing,
    addresses,
    export,
    keys,
    login_throttle,
    logins,
    passwords,
    profile,
    proofs,
    signup,
    tokens,
)
from jointoit.accounts.models import ApiKey, User
from jointoit.accounts.session_views import SESSIONS
from jointoit.api.http.rendering import JSONResponse
from jointoit.api.lists.pagination import Listing, first_rows
from jointoit.errors import DomainError, NotFound
from jointoit.events import team
from jointoit.events.team_queries import roles_of
from jointoit.mail.links import BadToken
from jointoit.mail.times import moment
from jointoit.pages.base import PageView, demand, next_of
from jointoit.pages.forms import (
    AddressForm,
    ClosingForm,
    ExportForm,
    Form,
    KeyForm,
    LoginForm,
    PasswordForm,
    ProfileForm,
    SignUpForm,
)

BACKEND = "django.contrib.auth.backends.ModelBackend"
MOST = 100  # log-ins and roles that are shown
ROLES = {
    "owner": gettext_lazy("owner"),
    "manager": gettext_lazy("manager"),
    "door": gettext_lazy("at the door"),
}


class EnterView(PageView):
    """For who is not signed in; whoever is, goes on at once."""

    form_class: ClassVar[type[Form]]
    template: ClassVar[str]

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.go_on() if self.user else self.show(self.form_class())

    def go_on(self) -> HttpResponseRedirect:
        return redirect(next_of(self.request) or "page-mine")

    def enter(self, user: User) -> HttpResponseRedirect:
        auth.login(self.request, user, backend=BACKEND)
        return self.go_on()

    def show(self, form: Form) -> HttpResponse:
        status = 400 if form.errors else 200
        return self.render(self.template, status, form=form, next=next_of(self.request))


class LoginView(EnterView):
    form_class, template = LoginForm, "login"

    def post(self, request: HttpRequest) -> HttpResponse:
        form = LoginForm(request.POST)
        if not form.is_valid():
            return self.show(form)
        name, failure = form.cleaned_data["username"], logins.WrongCredentials
        try:
            with login_throttle.attempt(request, login=name, failure=failure, now=self.now, action="login") as named:
                user = logins.check(user=named, password=form.cleaned_data["password"])
        except failure:
            form.add_error(
                None, _("No active account has this name and password. Check both, or choose a new password.")
            )
            return self.show(form)
        login_throttle.remember(user, request=request, now=self.now, action="login")
        return self.enter(user)


class SignUpView(EnterView):
    form_class, template = SignUpForm, "signup"
    throttle_scope = "signup"

    def post(self, request: HttpRequest) -> HttpResponse:
        form = SignUpForm(request.POST)
        if not form.is_valid():
            return self.show(form)
        try:
            user = signup.sign_up(**form.cleaned_data, now=self.now)
        except DomainError as error:
            form.refuse(error)
            return self.show(form)
        messages.success(request, _("Welcome. A mail is on its way: please confirm your address with it."))
        return self.enter(user)


class LogoutView(PageView):
    """A page with a button: a link on another site must not sign anybody out."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.render("logout") if self.user else redirect("front")

    def post(self, request: HttpRequest) -> HttpResponse:
        auth.logout(request)
        messages.success(request, _("You are signed out."))
        return redirect("page-login")


class AskForResetView(PageView):
    throttle_scope = "reset"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.render("password_reset", form=AddressForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = AddressForm(request.POST)
        if not form.is_valid():
            return self.render("password_reset", 400, form=form)
        passwords.ask_for_reset(email=form.cleaned_data["email"], now=self.now)
        return self.render("password_reset", is_sent=True)


# ── One's own account ─────────────────────────────────────────────────────────────────────────────────────────────────


class ConfirmingView(PageView):
    """Has forms that take the password or, of an account without one, the proof that a mail brought here."""

    needs_account = True

    @property
    def secret(self) -> dict[str, Any]:
        """What such a form needs to know; a proof that is good no more is forgotten."""
        proof = self.request.session.get("proof", "")
        try:
            proofs.check(proof, user=self.person)
        except BadToken:
            proof = ""
        return {"user": self.person, "proof": proof}


class AccountView(ConfirmingView):
    """Settings of an account: a few small forms, told apart by the name of their button."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show()

    def show(self, status: int = 200, **forms: Any) -> HttpResponse:
        person, secret = self.person, self.secret
        initial = {name: getattr(person, name, "") for name in ProfileForm.base_fields}
        shown = {
            "profile_form": ProfileForm(initial=initial, auto_id="profile_%s", **secret),
            "password_form": PasswordForm(**secret),
            "key_form": KeyForm(auto_id="key_%s", **secret),
            "export_form": ExportForm(auto_id="export_%s", **secret),
            "is_confirmed": person.has_usable_password() or bool(secret["proof"]),
            "keys": ApiKey.objects.filter(user=person).living(self.now),
            "scopes": keys.SCOPES,
            "sessions": self.sessions(),
            "roles": [row | {"role_name": ROLES[row["role"]]} for row in first_rows(roles_of(member=person.pk), MOST)],
        }
        return self.render("account", status, **shown | forms)

    def sessions(self) -> list[dict[str, Any]]:
        """Where programs are logged in with a password; sessions of pages are known to their browsers alone."""
        values = {"user": self.person.pk, "now": self.now, "lifetime": tokens.lifetime()}
        zone = self.person.timezone
        return [
            row | {name: moment(row[name], zone) for name in ("began_at", "last_used_at")}
            for row in first_rows(Listing(SESSIONS, values), MOST)
        ]

    def post(self, request: HttpRequest) -> HttpResponse:
        act = {
            "profile": self.save_profile,
            "password": self.change_password,
            "key": self.make_key,
            "end_key": self.end_key,
            "resend": self.resend,
            "prove": self.ask_for_proof,
            "keep_email": self.keep_email,
            "end_session": self.end_session,
            "end_others": self.end_others,
            "leave": self.leave,
            "export": self.export,
        }.get(request.POST.get("do", ""), self.show)
        return act()

    def save_profile(self) -> HttpResponse:
        form = ProfileForm(self.request.POST, auto_id="profile_%s", **self.secret)
        if form.is_valid():
            values = dict(form.cleaned_data)
            confirmed = {name: values.pop(name) for name in ("current_password", "proof") if name in values}
            if confirmed:
                demand("login", f"user:{self.person.pk}", now=self.now)
            if not addresses.is_same(values["email"], self.person.email):  # it sends mail to whatever address
                demand("signup", f"user:{self.person.pk}", now=self.now)
            try:
                profile.update(user=self.person, values=values, now=self.now, **confirmed)
            except DomainError as error:
                form.refuse(error)
            else:
                return self.done(_("Saved."))
        return self.show(400, profile_form=form)

    def change_password(self) -> HttpResponse:
        demand("login", f"user:{self.person.pk}", now=self.now)
        form = PasswordForm(self.request.POST, **self.secret)
        if form.is_valid():
            try:
                passwords.change(user=self.person, **form.cleaned_data)
            except DomainError as error:
                form.refuse(error)
            else:
                update_session_auth_hash(self.request, User.objects.get(pk=self.person.pk))
                return self.done(_("Your password is changed. You are signed out everywhere else."))
        return self.show(400, password_form=form)

    def make_key(self) -> HttpResponse:
        demand("login", f"user:{self.person.pk}", now=self.now)
        form = KeyForm(self.request.POST, auto_id="key_%s", **self.secret)
        if form.is_valid():
            try:
                _key, secret = keys.create(user=self.person, now=self.now, **form.cleaned_data)
            except DomainError as error:
                form.refuse(error)
            else:
                return self.show(new_key=secret)
        return self.show(400, key_form=form)

    def end_key(self) -> HttpResponse:
        keys.revoke(user=self.person, key_id=whole_number(self.request.POST.get("key")), now=self.now)
        return self.done(_("The key is ended."))

    def resend(self) -> HttpResponse:
        demand("reset", f"user:{self.person.pk}", now=self.now)
        addresses.remind(user=self.person, now=self.now)
        return self.done(_("The mail is on its way."))

    def ask_for_proof(self) -> HttpResponse:
        demand("reset", f"user:{self.person.pk}", now=self.now)
        proofs.ask(user=self.person, now=self.now)
        return self.done(_("The mail is on its way. Open its link in this browser."))

    def keep_email(self) -> HttpResponse:
        """The address of now withdraws a wish for another."""
        profile.update(user=self.person, values={"email": self.person.email}, now=self.now)
        return self.done(_("Your address stays as it is."))

    def end_session(self) -> HttpResponse:
        with suppress(NotFound, ValueError):  # ended already
            tokens.end_session(user=self.person, family=UUID(self.request.POST.get("session", "")))
        return self.done(_("That log-in is ended."))

    def end_others(self) -> HttpResponse:
        account_closing.end_access(user_ids=[self.person.pk], keys=False)
        update_session_auth_hash(self.request, User.objects.get(pk=self.person.pk))
        return self.done(_("You are logged out everywhere but here."))

    def leave(self) -> HttpResponse:
        with suppress(NotFound):  # pressed twice
            team.leave(user=self.person, membership_id=whole_number(self.request.POST.get("role")), now=self.now)
        return self.done(_("You do not help there any more."))

    def export(self) -> HttpResponse:
        demand("login", f"user:{self.person.pk}", now=self.now)
        form = ExportForm(self.request.POST, auto_id="export_%s", **self.secret)
        if form.is_valid():
            try:
                document = export.export(user=self.person, now=self.now, **form.cleaned_data)
            except DomainError as error:
                form.refuse(error)
            else:
                name = {"Content-Disposition": 'attachment; filename="personal-data.json"', "Cache-Control": "no-store"}
                return JSONResponse(document, headers=name)
        return self.show(400, export_form=form)

    def done(self, sentence: str) -> HttpResponseRedirect:
        messages.success(self.request, sentence)
        return redirect("page-account")


class CloseAccountView(ConfirmingView):
    """The question before an account is closed for good."""

    throttle_scope = "login"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show(ClosingForm(**self.secret))

    def show(self, form: ClosingForm, status: int = 200) -> HttpResponse:
        is_confirmed = self.person.has_usable_password() or bool(self.secret["proof"])
        return self.render("close_account", status, form=form, is_confirmed=is_confirmed)

    def post(self, request: HttpRequest) -> HttpResponse:
        form = ClosingForm(request.POST, **self.secret)
        if form.is_valid():
            try:
                account_closing.close(user=self.person, now=self.now, **form.cleaned_data)
            except DomainError as error:
                form.refuse(error)
            else:
                auth.logout(request)
                return self.render("account_closed")
        return self.show(form, 400)


def whole_number(typed: str | None) -> int:
    """An id that a form of ours sent; 0, which is nothing's, for anything else."""
    return int(typed) if typed and typed.isascii() and typed.isdecimal() and len(typed) < 19 else 0
