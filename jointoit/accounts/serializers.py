"""What an account looks like to a client, and what a client may say of it."""

import re
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from jointoit.accounts.models import VALID_USERNAME, User
from jointoit.accounts.passwords import LONGEST
from jointoit.api.fields import DateTimeField, EmailField, LineField, TimeZoneField
from jointoit.api.http.strictness import Shape


class ExactField(serializers.CharField):
    """Text that means exactly what was sent: nothing is trimmed, normalised or made of a number."""

    default_error_messages = {"invalid": "This must be text."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return data


class PasswordField(ExactField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(write_only=True, max_length=LONGEST, style={"input_type": "password"}, **kwargs)


@extend_schema_field({"type": "string", "format": "password", "minLength": 8, "maxLength": LONGEST})
class NewPasswordField(PasswordField):
    """One that has yet to prove strong; `jointoit.accounts.passwords` tells."""


class TokenField(ExactField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=4096, **kwargs)


@extend_schema_field({"type": "string", "minLength": 1, "maxLength": 150, "pattern": r"^[\w.+-]+$"})
class UsernameField(LineField):
    """A username in NFKC, so that what looks alike to a program is alike (RFC 8265 section 3.3)."""

    default_error_messages = {"invalid_username": str(VALID_USERNAME.message)}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=150, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        username = User.normalize_username(super().to_internal_value(data))
        if not re.match(VALID_USERNAME.regex, username):
            self.fail("invalid_username")
        return username


class ConfirmedShape(Shape):
    """What takes the password or, of an account that has none, a proof in its place."""

    confirmed_by: ClassVar[str] = "password"

    proof = TokenField(
        required=False, write_only=True,
        help_text="In place of the password, for an account that has none: from the mail of `POST /users/me/proof/`.",
    )  # fmt: skip

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not {self.confirmed_by, "proof"} & attrs.keys():
            missing = ErrorDetail(str(serializers.Field.default_error_messages["required"]), code="required")
            raise serializers.ValidationError({self.confirmed_by: [missing]})
        return attrs


class LoginField(ExactField):
    """A username or an e-mail; a domain in its own script becomes what the account has."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=254, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        login = super().to_internal_value(data)
        try:
            return EmailField().to_internal_value(login)
        except serializers.ValidationError:
            return login.strip()  # as sign-up does


class ProfileSerializer(Shape):
    """What people say of themselves; what may be left out stays as it is."""

    unchanging = {"id": "pk"}
    also_read = ("id", "email_verified", "pending_email", "date_joined")

    username = UsernameField(help_text="Letters, digits and . + - _; unique in any case.")
    email = EmailField(help_text="A new one takes effect when it is confirmed from there.")
    first_name = LineField(max_length=150, allow_blank=True, required=False)
    last_name = LineField(max_length=150, allow_blank=True, required=False)
    timezone = TimeZoneField(required=False, help_text="IANA name; mails write their times in it. UTC at first.")


class ProfileChangeSerializer(ProfileSerializer):
    """The same of an account that there is."""

    current_password = PasswordField(
        required=False, help_text="With it a new e-mail needs no consent from the old one; of no other use here."
    )
    proof = TokenField(
        required=False, write_only=True,
        help_text="In place of the password, for an account that has none: from the mail of `POST /users/me/proof/`.",
    )  # fmt: skip


class SignUpSerializer(ProfileSerializer):
    """A new account."""

    email = EmailField(help_text="Unique in any case; a mail that asks to confirm it goes there.")
    password = NewPasswordField(help_text="At least 8 characters; not common, not only digits, not like the name.")


class UserSerializer(Shape):
    """An account as its owner sees it."""

    id = serializers.IntegerField(read_only=True)
    username = serializers.CharField(read_only=True)
    email = serializers.EmailField(read_only=True)
    email_verified = serializers.BooleanField(read_only=True)
    pending_email = serializers.CharField(
        read_only=True, help_text="Takes the place of `email` once it is confirmed; empty where none waits."
    )
    first_name = serializers.CharField(read_only=True)
    last_name = serializers.CharField(read_only=True)
    timezone = serializers.CharField(read_only=True)
    date_joined = DateTimeField(read_only=True)


class PasswordChangeSerializer(ConfirmedShape):
    confirmed_by = "current_password"

    current_password = PasswordField(required=False, help_text="Of an account without one, `proof` in its place.")
    new_password = NewPasswordField()


@extend_schema_serializer(component_name="AccountClosing")
class ClosingSerializer(ConfirmedShape):
    password = PasswordField(required=False, help_text="Of an account without one, `proof` in its place.")


@extend_schema_serializer(component_name="PasswordReset")
class AddressSerializer(Shape):
    email = EmailField()


class VisitorSerializer(AddressSerializer):
    """Somebody who registers without logging in."""

    first_name = LineField(max_length=150)
    last_name = LineField(max_length=150, allow_blank=True, required=False)
    timezone = TimeZoneField(required=False)


class CalendarAddressSerializer(Shape):
    url = serializers.URLField(read_only=True, help_text="Shown this once: whoever has it reads your registrations.")


class MailedTokenSerializer(Shape):
    token = TokenField(help_text="From the link in the mail.")


class NewPasswordSerializer(MailedTokenSerializer):
    new_password = NewPasswordField()


class LoginSerializer(Shape):
    username = LoginField(help_text="The username or the e-mail, in any case.")
    password = PasswordField()


class TokenPairSerializer(Shape):
    access = serializers.CharField(read_only=True, help_text="For `Authorization: Bearer …`; good for 15 minutes.")
    refresh = serializers.CharField(read_only=True, help_text="Good once, for the next pair; for 30 days.")


class TokenRefreshSerializer(Shape):
    refresh = TokenField()


class TokenVerifySerializer(Shape):
    token = TokenField(help_text="An access or a refresh token.")
