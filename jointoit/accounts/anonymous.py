"""Who stands where a person stood that was erased from some place, and not as a whole.

One after the other is used at each place: what may be there once for each person stays true. Nobody can be any of them.
"""

from typing import Final

from django.contrib.auth.hashers import make_password

from jointoit.accounts.models import ERASED, User

#: How their usernames begin; a number follows.
NAME: Final = f"{ERASED}anonymous-"
CHUNK: Final = 1_000


def ensure(number: int) -> None:
    """Have at least so many of them; twice, or twice at once, is once."""
    if number and not User.objects.by_login(f"{NAME}{number}").exists():
        everybody = [nobody(place) for place in range(1, number + 1)]
        User.objects.bulk_create(everybody, batch_size=CHUNK, ignore_conflicts=True)


def nobody(place: int) -> User:
    return User(
        username=f"{NAME}{place}", email=f"anonymous-{place}@invalid", password=make_password(None), is_active=False
    )
