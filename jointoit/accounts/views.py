"""Each view says whose object, which verb, which shape."""

from dataclasses import asdict
from functools import partial
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.views import APIView

from jointoit.accounts import (
    account_closing,
    addresses,
    calendar_addresses,
    documentation,
    login_throttle,
    logins,
    passwords,
    profile,
    proofs,
    signup,
    strangers,
    tokens,
)
from jointoit.accounts.authentication import sender
from jointoit.accounts.logins import WrongCredentials
from jointoit.accounts.models import User
from jointoit.accounts.pages import LinkView, OneClickView
from jointoit.accounts.serializers import (
    AddressSerializer,
    ClosingSerializer,
    LoginSerializer,
    MailedTokenSerializer,
    NewPasswordSerializer,
    PasswordChangeSerializer,
    ProfileChangeSerializer,
    SignUpSerializer,
    TokenRefreshSerializer,
    TokenVerifySerializer,
    UserSerializer,
)
from jointoit.api.http.conditional import Conditional
from jointoit.api.http.rendering import EmptyResponse, JSONResponse
from jointoit.api.throttling.throttle import throttle_or_raise
from jointoit.mail import links


class PrivateView(APIView):
    """Answers that no cache may keep."""

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response.headers.setdefault("Cache-Control", "no-store")
        return super().finalize_response(request, response, *args, **kwargs)


class OpenView(PrivateView):
    """For anyone: a token that has died must not keep its owner from asking for the next."""

    authentication_classes = ()
    permission_classes = ()


def read(
    shape: type[serializers.Serializer[Any]], request: Request, *, partial: bool = False, of: User | None = None
) -> dict[str, Any]:
    """The body, clean; `of` is the account that it changes."""
    given = shape(of, data=request.data, partial=partial)
    given.is_valid(raise_exception=True)
    values: dict[str, Any] = given.validated_data
    return values


# ── Accounts ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@documentation.sign_up
class SignUpView(OpenView):
    throttle_scope = "signup"
    refusals = {"POST": {400: ("link_in_name", "weak_password", "username_taken", "email_taken")}}

    def post(self, request: Request) -> HttpResponse:
        user = signup.sign_up(**read(SignUpSerializer, request), now=timezone.now())
        return JSONResponse(UserSerializer(user).data, status.HTTP_201_CREATED, headers={"Location": reverse("me")})


@documentation.me
class MeView(PrivateView, Conditional):
    serializer_class = UserSerializer
    deletes_with_body = True
    refusals = {
        "PUT": {400: ("link_in_name", "username_taken", "email_taken", "wrong_password", "invalid_token")},
        "PATCH": {400: ("link_in_name", "username_taken", "email_taken", "wrong_password", "invalid_token")},
        "DELETE": {400: ("wrong_password", "invalid_token"), 409: ("last_superuser",)},
    }

    #: Closing an account takes the password, which must not be guessed here either.
    throttle_scope = {"DELETE": "login"}

    def get(self, request: Request) -> HttpResponse:
        return JSONResponse(self.represent(request.user))

    def put(self, request: Request) -> HttpResponse:
        return self.update(request, partial=False)

    def patch(self, request: Request) -> HttpResponse:
        return self.update(request, partial=True)

    def update(self, request: Request, *, partial: bool) -> HttpResponse:
        now, user = timezone.now(), sender(request)
        values = read(ProfileChangeSerializer, request, partial=partial, of=user)
        password, proof = values.pop("current_password", None), values.pop("proof", None)
        if password is not None or proof is not None:
            throttle_or_raise(request, "login", f"user:{user.pk}", now)
        if "email" in values and not addresses.is_same(values["email"], user.email):
            throttle_or_raise(request, "reset", f"user:{user.pk}", now)  # it sends mail to whatever address
        changed = profile.update(
            user=user, values=values, current_password=password, proof=proof, now=now, precondition=self.precondition
        )
        return JSONResponse(self.represent(changed))

    def delete(self, request: Request) -> HttpResponse:
        confirmed = read(ClosingSerializer, request)
        account_closing.close(user=sender(request), now=timezone.now(), precondition=self.precondition, **confirmed)
        return EmptyResponse()


@documentation.password
class PasswordView(PrivateView):
    throttle_scope = "login"
    refusals = {"POST": {400: ("wrong_password", "invalid_token", "weak_password")}}

    def post(self, request: Request) -> HttpResponse:
        passwords.change(user=sender(request), **read(PasswordChangeSerializer, request))
        return EmptyResponse()


@documentation.proof
class ProofView(PrivateView):
    throttle_scope = "reset"
    refusals = {"POST": {409: ("no_proof",)}}

    def post(self, request: Request) -> HttpResponse:
        proofs.ask(user=sender(request), now=timezone.now())
        return JSONResponse({}, status.HTTP_202_ACCEPTED)


@documentation.calendar_address
class CalendarAddressView(PrivateView):
    def post(self, request: Request) -> HttpResponse:
        url, is_first = calendar_addresses.make(user=sender(request), now=timezone.now())
        return JSONResponse({"url": url}, status.HTTP_201_CREATED if is_first else status.HTTP_200_OK)


@documentation.password_reset
class PasswordResetView(OpenView):
    throttle_scope = "reset"

    def post(self, request: Request) -> HttpResponse:
        passwords.ask_for_reset(email=read(AddressSerializer, request)["email"], now=timezone.now())
        return JSONResponse({}, status.HTTP_202_ACCEPTED)


@documentation.password_reset_confirm
class PasswordResetConfirmView(LinkView):
    serializer_class = NewPasswordSerializer
    template = "accounts/reset_password.html"
    refusals = {"POST": {400: ("invalid_token", "weak_password")}}
    database_free = ()
    act = staticmethod(passwords.reset)
    look = staticmethod(passwords.holder_of)


@documentation.verify_email
class VerifyEmailView(LinkView):
    """Names the account: whoever reads the mail may not be the one who opened it."""

    database_free = ()
    serializer_class = MailedTokenSerializer
    template = "accounts/verify_email.html"
    refusals = {"POST": {400: ("invalid_token",), 409: ("email_taken",)}}
    act = staticmethod(addresses.verify)
    look = staticmethod(addresses.look)

    def about(self, token: str) -> dict[str, Any]:
        found = addresses.named(token)
        return {"username": found[0], "not_me": reverse("not-me"), "not_me_token": found[1]} if found else {}


@documentation.not_me
class NotMeView(LinkView):
    serializer_class = MailedTokenSerializer
    template = "accounts/not_me.html"
    refusals = {"POST": {400: ("invalid_token",), 409: ("address_verified",)}}
    act = staticmethod(strangers.not_me)
    look = staticmethod(links.stranger_of)


@documentation.stop_mail
class StopMailView(OneClickView):
    """What List-Unsubscribe names in mails to many."""

    serializer_class = MailedTokenSerializer
    template = "accounts/stop_mail.html"
    refusals = {"POST": {400: ("invalid_token",)}}
    act = staticmethod(strangers.stop_mail)
    look = staticmethod(links.stop_of)

    def about(self, token: str) -> dict[str, Any]:
        return {"is_of_event": links.is_of_event(token)}


@documentation.agree_email
class AgreeToEmailView(LinkView):
    serializer_class = MailedTokenSerializer
    template = "accounts/agree_email.html"
    refusals = {"POST": {400: ("invalid_token",), 409: ("email_taken",)}}
    act = staticmethod(addresses.agree)
    look = staticmethod(partial(links.read, "agree_email"))


@documentation.stop_change
class StopChangeView(LinkView):
    serializer_class = MailedTokenSerializer
    template = "accounts/stop_change.html"
    refusals = {"POST": {400: ("invalid_token",)}}
    act = staticmethod(addresses.stop)
    look = staticmethod(partial(links.read, "stop_change"))


@documentation.resend_verification
class ResendVerificationView(PrivateView):
    throttle_scope = "reset"

    def post(self, request: Request) -> HttpResponse:
        addresses.remind(user=sender(request), now=timezone.now())
        return JSONResponse({}, status.HTTP_202_ACCEPTED)


# ── Tokens ────────────────────────────────────────────────────────────────────────────────────────────────────────────


DEAD_TOKEN = {"POST": {401: ("token_not_valid",)}}


@documentation.token
class TokenView(OpenView):
    refusals = {"POST": {401: ("wrong_credentials",)}}

    def post(self, request: Request) -> HttpResponse:
        given, now, origin = read(LoginSerializer, request), timezone.now(), request._request
        with login_throttle.attempt(
            origin, login=given["username"], failure=WrongCredentials, now=now, action="login"
        ) as named:
            user = logins.check(user=named, password=given["password"])
        pair = tokens.issue(
            user=user, now=now, origin=login_throttle.origin_of(origin), device=origin.headers.get("User-Agent", "")
        )
        login_throttle.remember(user, request=origin, now=now, action="login")
        return JSONResponse(asdict(pair))


@documentation.token_refresh
class TokenRefreshView(OpenView):
    refusals = DEAD_TOKEN

    def post(self, request: Request) -> HttpResponse:
        return JSONResponse(
            asdict(tokens.refresh(raw=read(TokenRefreshSerializer, request)["refresh"], now=timezone.now()))
        )


@documentation.token_verify
class TokenVerifyView(OpenView):
    refusals = DEAD_TOKEN

    def post(self, request: Request) -> HttpResponse:
        tokens.verify(raw=read(TokenVerifySerializer, request)["token"], now=timezone.now())
        return JSONResponse({})


@documentation.token_blacklist
class TokenBlacklistView(OpenView):
    refusals = DEAD_TOKEN

    def post(self, request: Request) -> HttpResponse:
        tokens.revoke(raw=read(TokenRefreshSerializer, request)["refresh"])
        return JSONResponse({})
