"""One person per name and address: the database refuses the second one, and here the refusal gets its name."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, transaction

from jointoit.api import database
from jointoit.errors import Invalid


class UsernameTaken(Invalid):
    code = "username_taken"
    message = "This username is taken."
    remedy = "Choose another username; upper and lower case count as the same."
    shown_field = "username"


class EmailTaken(Invalid):
    code = "email_taken"
    message = "An account with this e-mail exists."
    remedy = (
        "Sign in with the account that has the address, or choose another one. `POST /users/password-reset/` leads "
        "into an account whose password is forgotten."
    )
    shown_field = "email"


@contextmanager
def refusals_named() -> Iterator[None]:
    """Run a write under a savepoint. Raises UsernameTaken or EmailTaken where a unique index of the user refuses it."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        constraint = database.violated(error)
        match constraint and constraint.name:
            case "user_username_unique":
                raise UsernameTaken(field="username") from None
            case "user_email_unique":
                raise EmailTaken(field="email") from None
        raise
