"""There is always a superuser: nobody else could make another one."""

from collections.abc import Collection

from jointoit.accounts.models import User
from jointoit.errors import Conflict


class LastSuperuser(Conflict):
    code = "last_superuser"
    message = "Somebody has to stay superuser: make another account superuser first."
    remedy = "Give another account the rights of a superuser, in the admin, and ask again."


def keep_one(*, without: Collection[int]) -> None:
    """Make sure that a living superuser is left besides these; the caller has a transaction open, and no row yet.

    All of them are locked, so that no two step down at once. Raises LastSuperuser.
    """
    living = User.objects.filter(is_superuser=True, is_active=True).order_by("pk")
    pks = set(living.select_for_update(no_key=True, of=("self",)).values_list("pk", flat=True))
    if pks and pks <= {*without}:
        raise LastSuperuser
