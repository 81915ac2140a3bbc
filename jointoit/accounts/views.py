"""Each view says whose object, which verb, which shape."""

from dataclasses import asdict
from typing import Any

from django.urls import reverse
from django.utils import timezone
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jointoit.accounts import addresses, closing, documentation, guessing, logins, passwords, profile, signup, tokens
from jointoit.accounts.authentication import sender
from jointoit.accounts.pages import LinkView
from jointoit.accounts.serializers import (
    AddressSerializer,
    ClosingSerializer,
    LinkSerializer,
    LoginSerializer,
    NewPasswordSerializer,
    PasswordChangeSerializer,
    ProfileSerializer,
    RefreshSerializer,
    SignUpSerializer,
    UserSerializer,
    VerifySerializer,
)
from jointoit.api.http.conditional import Conditional
from jointoit.api.throttling.throttle import demand


class PrivateView(APIView):
    """Answers that no cache may keep."""

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response.headers.setdefault("Cache-Control", "no-store")
        return super().finalize_response(request, response, *args, **kwargs)


class OpenView(PrivateView):
    """For anyone: a token that has died must not keep its owner from asking for the next."""

    authentication_classes = ()
    permission_classes = ()


def read(shape: type[serializers.Serializer[Any]], request: Request, *, partial: bool = False) -> dict[str, Any]:
    given = shape(data=request.data, partial=partial)
    given.is_valid(raise_exception=True)
    values: dict[str, Any] = given.validated_data
    return values


# ── Accounts ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@documentation.sign_up
class SignUpView(OpenView):
    throttle_scope = "signup"
    refusals = {"POST": {400: ("weak_password", "username_taken", "email_taken")}}

    def post(self, request: Request) -> Response:
        user = signup.sign_up(**read(SignUpSerializer, request), now=timezone.now())
        return Response(UserSerializer(user).data, status.HTTP_201_CREATED, headers={"Location": reverse("me")})


@documentation.me
class MeView(PrivateView, Conditional):
    serializer_class = UserSerializer
    deletes_with_body = True
    refusals = {
        "PUT": {400: ("username_taken", "email_taken")},
        "PATCH": {400: ("username_taken", "email_taken")},
        "DELETE": {400: ("wrong_password",)},
    }

    @property
    def throttle_scope(self) -> str | None:
        """Closing an account takes the password, which must not be guessed here either."""
        return "login" if self.request.method == "DELETE" else None

    def get(self, request: Request) -> Response:
        return Response(self.represent(request.user))

    def put(self, request: Request) -> Response:
        return self.update(request, partial=False)

    def patch(self, request: Request) -> Response:
        return self.update(request, partial=True)

    def update(self, request: Request, *, partial: bool) -> Response:
        values, now, user = read(ProfileSerializer, request, partial=partial), timezone.now(), sender(request)
        if "email" in values and not addresses.is_same(values["email"], user.email):
            demand(request, "signup", f"user:{user.pk}", now)  # it sends mail to whatever address
        changed = profile.update(user_id=user.pk, values=values, now=now, precondition=self.precondition)
        return Response(self.represent(changed))

    def delete(self, request: Request) -> Response:
        password = read(ClosingSerializer, request)["password"]
        closing.close(user=sender(request), password=password, now=timezone.now(), precondition=self.precondition)
        return Response(status=status.HTTP_204_NO_CONTENT)


@documentation.password
class PasswordView(PrivateView):
    throttle_scope = "login"
    refusals = {"POST": {400: ("wrong_password", "weak_password")}}

    def post(self, request: Request) -> Response:
        passwords.change(user=sender(request), **read(PasswordChangeSerializer, request))
        return Response(status=status.HTTP_204_NO_CONTENT)


@documentation.password_reset
class PasswordResetView(OpenView):
    throttle_scope = "reset"

    def post(self, request: Request) -> Response:
        passwords.ask_for_reset(email=read(AddressSerializer, request)["email"], now=timezone.now())
        return Response({}, status.HTTP_202_ACCEPTED)


@documentation.password_reset_confirm
class PasswordResetConfirmView(LinkView):
    serializer_class = NewPasswordSerializer
    template = "accounts/reset_password.html"
    refusals = {"POST": {400: ("invalid_token", "weak_password")}}
    act = staticmethod(passwords.reset)


@documentation.verify_email
class VerifyEmailView(LinkView):
    serializer_class = LinkSerializer
    template = "accounts/verify_email.html"
    refusals = {"POST": {400: ("invalid_token",), 409: ("email_taken",)}}
    act = staticmethod(addresses.verify)


@documentation.resend_verification
class ResendVerificationView(PrivateView):
    throttle_scope = "reset"

    def post(self, request: Request) -> Response:
        addresses.remind(user=sender(request), now=timezone.now())
        return Response({}, status.HTTP_202_ACCEPTED)


# ── Tokens ────────────────────────────────────────────────────────────────────────────────────────────────────────────


DEAD_TOKEN = {"POST": {401: ("token_not_valid",)}}


@documentation.token
class TokenView(OpenView):
    refusals = {"POST": {401: ("wrong_credentials",)}}
    throttle_scope = "login"

    def post(self, request: Request) -> Response:
        given, now, origin = read(LoginSerializer, request), timezone.now(), guessing.origin_of(request)
        guessing.refuse(login=given["username"], origin=origin, now=now)
        user = logins.check(login=given["username"], password=given["password"])
        return Response(asdict(tokens.issue(user=user, now=now, origin=origin)))


@documentation.token_refresh
class TokenRefreshView(OpenView):
    refusals = DEAD_TOKEN

    def post(self, request: Request) -> Response:
        return Response(asdict(tokens.refresh(raw=read(RefreshSerializer, request)["refresh"], now=timezone.now())))


@documentation.token_verify
class TokenVerifyView(OpenView):
    refusals = DEAD_TOKEN

    def post(self, request: Request) -> Response:
        tokens.verify(raw=read(VerifySerializer, request)["token"], now=timezone.now())
        return Response({})


@documentation.token_blacklist
class TokenBlacklistView(OpenView):
    refusals = DEAD_TOKEN

    def post(self, request: Request) -> Response:
        tokens.revoke(raw=read(RefreshSerializer, request)["refresh"])
        return Response({})
