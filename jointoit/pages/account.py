"""One's own account: what people say of themselves, and what ends."""

from contextlib import suppress
from typing import Any
from uuid import UUID

from django.contrib import auth, messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from jointoit.accounts import (
    account_closing,
    addresses,
    export,
    keys,
    passwords,
    profile,
    proofs,
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
from jointoit.pages.accounts import ROLES, whole_number
from jointoit.pages.base import PageView, demand
from jointoit.pages.forms import (
    ClosingForm,
    ExportForm,
    KeyForm,
    PasswordForm,
    ProfileForm,
)

MOST = 100  # log-ins and roles that are shown


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
