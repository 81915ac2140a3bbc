"""Nobody learns from an answer who has an account: existing, inactive and unknown look the same."""

from typing import Any

import pytest
from django.contrib.auth import hashers
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from tests.client import ServiceClient

from .conftest import MakeUser

SETS_APART = {"X-Request-ID"}
ADDRESSES = ["known@example.org", "shut@example.org", "unknown@example.org"]


class CountingHasher(hashers.MD5PasswordHasher):
    runs = 0

    def encode(self, password: str, salt: str) -> str:
        type(self).runs += 1
        return super().encode(password, salt)


@pytest.fixture(autouse=True)
def _accounts(make_user: MakeUser) -> None:
    make_user(username="known", email=ADDRESSES[0])
    make_user(username="shut", email=ADDRESSES[1], is_active=False)


def seen(response: Any) -> tuple[int, dict[str, str], bytes]:
    """All that a client sees but the id of the request, in the header as well as in the body."""
    body = response.content.replace(response["X-Request-ID"].encode(), b"")
    headers = {name: value for name, value in response.headers.items() if name not in SETS_APART}
    return response.status_code, headers, body


def all_the_same(responses: list[Any]) -> tuple[int, dict[str, str], bytes]:
    looks = [seen(response) for response in responses]
    assert looks == [looks[0]] * len(looks)
    return looks[0]


@pytest.mark.parametrize("logins", [ADDRESSES, ["known", "shut", "unknown"]], ids=["address", "name"])
def test_a_wrong_password_looks_the_same_for_everybody(api: ServiceClient, logins: list[str]) -> None:
    answers = [api.post("/api/token/", {"username": login, "password": "wrong"}) for login in logins]

    assert all_the_same(answers)[0] == 401


def test_the_right_password_of_a_shut_account_looks_like_a_wrong_one(api: ServiceClient) -> None:
    answers = [api.post("/api/token/", {"username": "shut", "password": each}) for each in ("correct-horse-9", "wrong")]

    assert all_the_same(answers)[0] == 401


def test_every_log_in_that_fails_costs_one_hash(api: ServiceClient, settings: Settings) -> None:
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]
    runs = []
    for login in ("known", "shut", "unknown"):
        CountingHasher.runs = 0
        api.post("/api/token/", {"username": login, "password": "wrong"})
        runs.append(CountingHasher.runs)

    assert runs == [1, 1, 1]


def test_asking_for_a_reset_looks_the_same_for_everybody(api: ServiceClient) -> None:
    answers = [api.post("/users/password-reset/", {"email": address}) for address in ADDRESSES]

    assert all_the_same(answers)[0] == 202


def test_asking_for_a_reset_takes_the_same_statements_for_everybody(api: ServiceClient) -> None:
    work = []
    for address in ADDRESSES:
        with CaptureQueriesContext(connection) as queries:
            api.post("/users/password-reset/", {"email": address})
        work.append([query["sql"].split()[0] for query in queries.captured_queries])

    assert work == [work[0]] * 3


def test_asking_for_the_confirmation_again_looks_the_same_whatever_waits(make_user: MakeUser, signed_in: Any) -> None:
    states: list[dict[str, Any]] = [{}, {"email_verified": True}, {"pending_email": "new@example.org"}]
    answers = [signed_in(make_user(**state)).post("/users/verify-email/resend/") for state in states]

    assert all_the_same(answers)[0] == 202
