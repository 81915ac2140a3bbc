"""Signing up, in and out."""

from typing import ClassVar

from django.contrib import auth, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from jointoit.accounts import (
    login_throttle,
    logins,
    passwords,
    signup,
)
from jointoit.accounts.admin_sessions import browser_of
from jointoit.accounts.models import User
from jointoit.errors import DomainError
from jointoit.pages.base import PageView, next_of
from jointoit.pages.forms import (
    AddressForm,
    Form,
    LoginForm,
    SignUpForm,
)

BACKEND = "django.contrib.auth.backends.ModelBackend"
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
        name, failure, cookie = form.cleaned_data["username"], logins.WrongCredentials, browser_of(request)
        try:
            with login_throttle.attempt(
                request, login=name, failure=failure, now=self.now, action="login", cookie=cookie
            ) as named:
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


def whole_number(typed: str | None) -> int:
    """An id that a form of ours sent; 0, which is nothing's, for anything else."""
    return int(typed) if typed and typed.isascii() and typed.isdecimal() and len(typed) < 19 else 0
