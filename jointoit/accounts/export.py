"""Everything that the service knows of a person, as one document (GDPR article 15 and 20).

Each app adds what it holds, as it does to other tables of the service that it does not own.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from jointoit.accounts import passwords, proofs
from jointoit.accounts.models import User

Part = Callable[[User], Iterable[Mapping[str, object]]]
PARTS: Final[dict[str, Part]] = {}
#: Of the account itself; what is left out is a secret, or says nothing of the person.
ACCOUNT: Final = (
    "id", "username", "email", "email_verified", "pending_email", "first_name", "last_name", "timezone",
    "is_active", "is_staff", "is_superuser", "date_joined", "last_login",
)  # fmt: skip


#: The kinds of actors in the journal whose id is that of an account.
IN_PERSON: Final = ("owner", "manager", "door", "attendee", "staff")


def register(name: str, part: Part) -> None:
    PARTS[name] = part


def export(*, user: User, now: datetime, password: str | None = None, proof: str | None = None) -> dict[str, Any]:
    """What `document` says. Raises WrongPassword, links.BadToken."""
    passwords.confirm(password, user=user, field="password", proof=proof)
    proofs.spend(proof, now=now)
    return document(user)


def document(user: User) -> dict[str, Any]:
    """`{account, <part>: [...]}`."""
    account = User.objects.values(*ACCOUNT).get(pk=user.pk)
    account |= {"groups": sorted(user.groups.values_list("name", flat=True))}
    return {"account": account, **{name: list(part(user)) for name, part in sorted(PARTS.items())}}
