"""Showing who you are with a name and a password."""

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX, check_password

from jointoit.accounts.models import User
from jointoit.errors import Unauthenticated

#: Matches nothing; Django hashes once all the same.
NO_PASSWORD = UNUSABLE_PASSWORD_PREFIX


class WrongCredentials(Unauthenticated):
    code = "wrong_credentials"
    message = "No active account has this name and password."
    remedy = "Check name and password; `POST /users/password-reset/` leads to a new password."


def check(*, user: User | None, password: str) -> User:
    """Return `user`, whom the name given at the log-in names, if there is one.

    A wrong password, an unknown name and an inactive account look the same and take one hash each.
    Raises WrongCredentials.
    """
    matches = user.check_password(password) if user else check_password(password, NO_PASSWORD)
    if user is None or not matches or not user.is_active:
        raise WrongCredentials
    return user
