"""What the OpenAPI document says of each operation, with an example of each body."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view

from jointoit.accounts import serializers as shapes
from jointoit.api.openapi.components import LOCATION, asks, gives

ADA = {
    "id": 1815,
    "username": "ada",
    "email": "ada@example.org",
    "email_verified": True,
    "pending_email": "",
    "first_name": "Ada",
    "last_name": "Lovelace",
    "timezone": "Europe/London",
    "date_joined": "2026-11-23T09:30:00Z",
}
PROFILE = {name: ADA[name] for name in ("username", "email", "first_name", "last_name", "timezone")}
PASSWORD, NEW_PASSWORD = "an engine of numbers", "weaving algebraical patterns"
JWT = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ1c2VyX2lkIjoiMTgxNSJ9.c2lnbmF0dXJl"
FROM_MAIL = "eyJ1c2VyX2lkIjoxODE1fQ:1vN2aB:c2lnbmF0dXJl"
CALENDAR = {"url": "https://events.example.org/calendar/Zm9yIG5vYm9keSBidXQgaXRzIG93bmVy.ics"}
PROBLEM = {"$ref": "#/components/schemas/Problem"}
NOTHING = OpenApiResponse(OpenApiTypes.OBJECT, "An empty object.")
PAGE = {(200, "text/html"): OpenApiResponse(OpenApiTypes.STR, "A page for a person.")}
REFUSED = "Refused: to a program as a problem, to a person as the page again."
FORM = {
    **PAGE,
    (400, "text/html"): OpenApiResponse(OpenApiTypes.STR, REFUSED),
    (400, "application/problem+json"): OpenApiResponse(PROBLEM, REFUSED),
}
PAGE_TOKEN = OpenApiParameter("token", OpenApiTypes.STR, description="From the link in the mail.")


def empty(description: str) -> OpenApiResponse:
    return OpenApiResponse(description=description)


def posts(**schema: Any) -> Any:
    return extend_schema_view(post=extend_schema(**schema))


sign_up = posts(
    summary="Open an account",
    description="The account works at once. A mail goes out that asks to confirm the address.",
    parameters=[LOCATION],
    request=shapes.SignUpSerializer,
    responses={201: shapes.UserSerializer},
    examples=[asks(PROFILE | {"password": PASSWORD}), gives(ADA | {"email_verified": False}, 201)],
)
me = extend_schema_view(
    get=extend_schema(summary="Read your account", responses=shapes.UserSerializer, examples=[gives(ADA)]),
    put=extend_schema(
        summary="Replace your profile",
        description=(
            "Username and e-mail are required; what else is left out stays as it is. A new e-mail waits in "
            "`pending_email` until it is confirmed from there and, unless `current_password` came with the request, "
            "the old address has agreed by the link in its mail; then it takes effect, which ends every token. The old "
            "address is told at once and may stop the change within seven days. A new username is told by mail."
        ),
        request=shapes.ProfileChangeSerializer,
        responses=shapes.UserSerializer,
        examples=[asks(PROFILE), gives(ADA)],
    ),
    patch=extend_schema(
        summary="Change your profile",
        description="As PUT, with nothing required.",
        request=shapes.ProfileChangeSerializer,
        responses=shapes.UserSerializer,
        examples=[asks({"timezone": "Europe/London"}), gives(ADA)],
    ),
    delete=extend_schema(
        summary="Close your account",
        description=(
            "Your seats are freed and handed on, future events of yours are cancelled and their attendees told, your "
            "personal data are erased and every token ends. This cannot be undone."
        ),
        request=shapes.ClosingSerializer,
        responses={204: empty("The account is closed.")},
        examples=[asks({"password": PASSWORD})],
    ),
)
password = posts(
    operation_id="password_change",
    summary="Change your password",
    description="Every access and refresh token given out so far ends, this one too. A mail tells of the change.",
    request=shapes.PasswordChangeSerializer,
    responses={204: empty("The password is changed.")},
    examples=[asks({"current_password": PASSWORD, "new_password": NEW_PASSWORD})],
)
proof = posts(
    summary="Ask for what stands in for a password",
    description=(
        "For an account that has none, because a link in a mail opened it. The mail goes to its confirmed address; "
        "the `proof` in it is good for 15 minutes and once, wherever `password` or `current_password` is asked for. "
        "`POST /users/me/password/` sets the first password with it."
    ),
    request=None,
    responses={202: NOTHING},
    examples=[gives({}, 202)],
)
calendar_address = posts(
    summary="Make or renew the address of your calendar",
    description=(
        "For a calendar program to subscribe to: your registrations, without a log-in. The address before it, if there "
        "was one, ends. A new password by mail, or a closed account, ends it too."
    ),
    request=None,
    responses={
        201: OpenApiResponse(shapes.CalendarAddressSerializer, "The first address."),
        200: OpenApiResponse(shapes.CalendarAddressSerializer, "Another one in its place."),
    },
    examples=[gives(CALENDAR, 201), gives(CALENDAR)],
)
password_reset = posts(
    summary="Ask for a password reset",
    description="If an active account has the address, a mail with a link goes there. The answer is always the same.",
    request=shapes.AddressSerializer,
    responses={202: NOTHING},
    examples=[asks({"email": "ada@example.org"}), gives({}, 202)],
)
password_reset_confirm = extend_schema_view(
    get=extend_schema(
        operation_id="password_reset_page",
        summary="Show the page that the link in the mail opens",
        parameters=[PAGE_TOKEN],
        responses=PAGE,
    ),
    post=extend_schema(
        summary="Set a new password",
        description="The token works once. Every access and refresh token given out so far ends.",
        request=shapes.NewPasswordSerializer,
        responses={204: empty("The password is set."), **FORM},
        examples=[asks({"token": FROM_MAIL, "new_password": NEW_PASSWORD})],
    ),
)
verify_email = extend_schema_view(
    get=extend_schema(
        operation_id="verify_email_page",
        summary="Show the page that the link in the mail opens",
        parameters=[PAGE_TOKEN],
        responses=PAGE,
    ),
    post=extend_schema(
        summary="Confirm an e-mail address",
        description=(
            "A new address takes the place of the old one, once that or the password has agreed; the old one is told, "
            "and every token ends."
        ),
        request=shapes.MailedTokenSerializer,
        responses={204: empty("The address is confirmed."), **FORM},
        examples=[asks({"token": FROM_MAIL})],
    ),
)
not_me = extend_schema_view(
    get=extend_schema(
        operation_id="not_me_page",
        summary="Show the page that asks whether somebody else used your address",
        description="What the link in each mail to an unconfirmed address opens. Opening it changes nothing.",
        parameters=[PAGE_TOKEN],
        responses=PAGE,
    ),
    post=extend_schema(
        summary="Say that an account with your address is not yours",
        description=(
            "The account is shut, and no more mail goes to the address. Only while the address is not confirmed; an "
            "account that only asked for the address keeps its own."
        ),
        request=shapes.MailedTokenSerializer,
        responses={204: empty("The account is shut."), **FORM},
        examples=[asks({"token": FROM_MAIL})],
    ),
)
stop_mail = extend_schema_view(
    get=extend_schema(
        operation_id="stop_mail_page",
        summary="Show the page that asks whether mail shall stop",
        description="What the links at the end of mails about events open. Opening it stops nothing.",
        parameters=[PAGE_TOKEN],
        responses=PAGE,
    ),
    post=extend_schema(
        summary="Stop the mail about an event, or all but what is about the account",
        description=(
            "Needs no log-in: the token of a mail says which address and what. It stands in the body or in the "
            "address, as when a mail program unsubscribes with one click (RFC 8058). Registrations stay."
        ),
        parameters=[PAGE_TOKEN],
        request=shapes.MailedTokenSerializer,
        responses={204: empty("No more such mail."), **FORM},
        examples=[asks({"token": FROM_MAIL})],
    ),
)
agree_email = extend_schema_view(
    get=extend_schema(
        operation_id="agree_email_page",
        summary="Show the page that the link in the mail opens",
        parameters=[PAGE_TOKEN],
        responses=PAGE,
    ),
    post=extend_schema(
        operation_id="agree_email",
        summary="Agree to a new e-mail address",
        description="By the link in the mail to the old address, where the password did not come with the request.",
        request=shapes.MailedTokenSerializer,
        responses={204: empty("The old address has agreed."), **FORM},
        examples=[asks({"token": FROM_MAIL})],
    ),
)
stop_change = extend_schema_view(
    get=extend_schema(
        operation_id="stop_change_page",
        summary="Show the page that the link in the mail opens",
        parameters=[PAGE_TOKEN],
        responses=PAGE,
    ),
    post=extend_schema(
        operation_id="stop_change",
        summary="Take back a new e-mail address or username",
        description=(
            "By the link in the mail that tells of it, within seven days: before the change it is stopped, after it "
            "the old address or name comes back. Every token, session and key of the account ends. Where somebody had "
            "the password or the change was made, the password ends too and a mail leads to a new one."
        ),
        request=shapes.MailedTokenSerializer,
        responses={204: empty("It is taken back."), **FORM},
        examples=[asks({"token": FROM_MAIL})],
    ),
)
resend_verification = posts(
    summary="Ask again for the mail that confirms your address",
    description="At most one in five minutes is sent, and none if nothing waits to be confirmed.",
    request=None,
    responses={202: NOTHING},
    examples=[gives({}, 202)],
)
token = posts(
    summary="Sign in",
    description="A wrong password, an unknown name and an inactive account get one and the same 401.",
    request=shapes.LoginSerializer,
    responses={200: shapes.TokenPairSerializer},
    examples=[asks({"username": "ada", "password": PASSWORD}), gives({"access": JWT, "refresh": JWT})],
)
token_refresh = posts(
    summary="Exchange a refresh token for the next pair",
    description=(
        "Each refresh token is good once. For 10 seconds more it gives the same next one again, so that two tabs may "
        "ask at the same time; after that its use is taken for theft and ends the log-in: its refresh tokens at once, "
        "its access tokens when they run out, within their 15 minutes. The owner is told by mail."
    ),
    request=shapes.TokenRefreshSerializer,
    responses={200: shapes.TokenPairSerializer},
    examples=[asks({"refresh": JWT}), gives({"access": JWT, "refresh": JWT})],
)
token_verify = posts(
    summary="Ask whether a token is good",
    request=shapes.TokenVerifySerializer,
    responses={200: NOTHING},
    examples=[asks({"token": JWT}), gives({})],
)
token_blacklist = posts(
    summary="Sign out",
    description=(
        "Ends the refresh tokens of this log-in at once. Its last access token is good until it runs out, for 15 "
        "minutes at most; a change of password ends those at once too."
    ),
    request=shapes.TokenRefreshSerializer,
    responses={200: NOTHING},
    examples=[asks({"refresh": JWT}), gives({})],
)
