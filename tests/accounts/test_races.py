"""What happens when two do the same at the same moment. Each race has its control, in which the guard is away."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier
from typing import Any, TypeVar

import pytest
from django.db import connection
from django.utils import timezone

from jointoit.accounts import account_closing, addresses, login_links, passwords, single_use, tokens
from jointoit.accounts.models import RefreshToken, SpentToken, User, UserManager
from tests.client import ServiceClient

from .conftest import PASSWORD, Link, MakeUser

pytestmark = pytest.mark.django_db(transaction=True)
Result = TypeVar("Result")


def at_once(times: int, work: Callable[[int], Result]) -> list[Result | Exception]:
    """Run `work(0)`, `work(1)` … in as many threads, which begin together; the results, or what was raised."""
    start = Barrier(times)

    def run(number: int) -> Result | Exception:
        try:
            start.wait()
            return work(number)
        except Exception as error:  # noqa: BLE001  handed to the test
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(run, range(times)))


@pytest.mark.parametrize("same", ["email", "username"])
def test_of_two_sign_ups_for_one_name_or_address_one_succeeds(db: None, same: str) -> None:
    def sign_up(number: int) -> Any:
        body = {"username": f"u{number}", "email": f"u{number}@example.org", "password": "weaving algebra"}
        return ServiceClient().post(
            "/users/register/",
            body | {same: ["ada@example.org", "ADA@example.org"][number][: 15 if same == "email" else 3]},
        )

    answers: list[Any] = sorted(at_once(2, sign_up), key=lambda answer: answer.status_code)

    assert [answer.status_code for answer in answers] == [201, 400]
    assert answers[1].json()["errors"][0]["pointer"] == f"#/{same}"
    assert User.objects.count() == 1


def test_one_refresh_token_used_eight_times_at_once_has_one_living_successor(
    make_user: MakeUser, now: datetime
) -> None:
    first = tokens.issue(user=make_user(), now=now)

    pairs: list[Any] = at_once(8, lambda _: tokens.refresh(raw=first.refresh, now=timezone.now()))

    assert len({pair.refresh for pair in pairs}) == 1
    assert RefreshToken.objects.filter(used_at=None).count() == 1


def test_without_the_lock_one_refresh_token_has_clashing_successors(
    make_user: MakeUser, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(UserManager, "lock", lambda self, pk: self.filter(pk=pk))
    clashes = 0
    for _ in range(5):
        first = tokens.issue(user=make_user(), now=now)
        results = at_once(8, lambda _, raw=first.refresh: tokens.refresh(raw=raw, now=timezone.now()))  # type: ignore[misc]
        clashes += sum(isinstance(result, Exception) for result in results)

    assert clashes > 0


def test_a_reset_link_used_four_times_at_once_works_once(make_user: MakeUser, link: Link) -> None:
    token = link("reset_password", make_user())

    results = at_once(4, lambda number: passwords.reset(token=token, new_password=f"weaving algebra {number}"))

    assert sum(result is None for result in results) == 1
    assert User.objects.get().token_epoch == 1


def test_of_four_changes_of_one_password_one_succeeds(make_user: MakeUser) -> None:
    users = [make_user(), *[None] * 3]
    seen = [User.objects.get() for _ in users]

    def change(number: int) -> None:
        passwords.change(user=seen[number], current_password=PASSWORD, new_password=f"weaving algebra {number}")

    assert sum(result is None for result in at_once(4, change)) == 1
    assert User.objects.get().token_epoch == 1


def test_of_two_who_confirm_one_address_at_once_one_gets_it(make_user: MakeUser, link: Link) -> None:
    users = [make_user(pending_email="new@example.org", pending_agreed=True) for _ in range(2)]
    links = [link("change_email", user, "new@example.org") for user in users]

    results = at_once(2, lambda number: addresses.verify(token=links[number]))

    assert sorted(type(result).__name__ for result in results) == ["AddressTakenMeanwhile", "NoneType"]
    assert User.objects.filter(email="new@example.org").count() == 1


def test_of_two_superusers_who_step_down_at_once_one_stays(make_user: MakeUser) -> None:
    pks = [make_user(is_superuser=True).pk for _ in range(2)]

    results = at_once(2, lambda number: account_closing.deactivate(user_ids=[pks[number]]))

    assert sorted(type(result).__name__ for result in results) == ["LastSuperuser", "int"]
    assert User.objects.filter(is_superuser=True, is_active=True).count() == 1


def open_at_once(user: User, link: Link) -> list[bool]:
    token = link("log_in", user)
    entries = at_once(8, lambda _: login_links.use(token=token, reader=None, now=timezone.now()))
    return [not isinstance(entry, Exception) for entry in entries]


def test_a_link_that_is_used_eight_times_at_once_lets_one_in(make_user: MakeUser, link: Link) -> None:
    assert sum(open_at_once(make_user(email_verified=True), link)) == 1


def test_looked_at_before_it_is_used_one_link_would_let_several_in(
    make_user: MakeUser, link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = Barrier(8)

    def spend(token: str, **_: object) -> None:
        single_use.refuse_spent(token)
        together.wait()
        SpentToken.objects.get_or_create(digest=single_use.digest(token), defaults={"until": timezone.now()})

    monkeypatch.setattr(single_use, "spend", spend)

    assert sum(open_at_once(make_user(email_verified=True), link)) > 1
