"""The Authorization header of a request, over the whole stack."""

from datetime import datetime
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from jointoit.accounts import account_closing, passwords, tokens
from tests.client import ServiceClient

from .conftest import ME, PASSWORD, MakeUser, PairOf, WithToken

ODD = [
    "",
    " ",
    "Bearer",
    "Bearer ",
    "Bearer a b",
    "Bearer a.b.c",
    "Bearer \xff\xfe",
    "Bearer " + "x" * 8192,
    "junk",
    "two words",
    "Basic YWRhOnBhc3N3b3Jk",
    "Bearer, Bearer",
    "Token abc",
]


def without_id(response: Any) -> tuple[int, dict[str, str], dict[str, Any]]:
    headers = {
        name: value for name, value in response.headers.items() if name not in ("X-Request-ID", "Content-Length")
    }
    return response.status_code, headers, {k: v for k, v in response.json().items() if k != "instance"}


@pytest.mark.parametrize("header", ODD, ids=lambda header: header[:16])
def test_every_odd_header_gets_one_and_the_same_401(
    api: ServiceClient, make_user: MakeUser, pair_of: PairOf, header: str
) -> None:
    dead = api.get(ME, HTTP_AUTHORIZATION=f"Bearer {pair_of(make_user()).refresh}")
    odd = api.get(ME, HTTP_AUTHORIZATION=header)

    assert without_id(odd) == without_id(dead)
    assert (odd.status_code, odd.json()["code"]) == (401, "token_not_valid")
    assert odd["WWW-Authenticate"].startswith('Bearer realm="api", error="invalid_token", error_description="')


@pytest.mark.parametrize("header", ODD, ids=lambda header: header[:16])
def test_an_odd_header_is_refused_where_anyone_may_read(api: ServiceClient, db: None, header: str) -> None:
    assert api.get("/events/", HTTP_AUTHORIZATION=header).status_code == 401


def test_no_header_is_another_401(api: ServiceClient, db: None) -> None:
    refusal = api.get(ME)

    assert (refusal.status_code, refusal["WWW-Authenticate"]) == (401, 'Bearer realm="api"')
    assert refusal.json()["code"] == "not_authenticated"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR", "Bearer  "])
def test_the_scheme_comes_in_any_case(api: ServiceClient, make_user: MakeUser, pair_of: PairOf, scheme: str) -> None:
    assert api.get(ME, HTTP_AUTHORIZATION=f"{scheme} {pair_of(make_user()).access}").status_code == 200


def test_a_signed_in_request_costs_one_query(
    make_user: MakeUser, with_token: WithToken, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = with_token(make_user())

    with django_assert_num_queries(1):
        client.get(ME)


@pytest.mark.parametrize("ending", ["password", "deactivation", "deletion"])
def test_old_tokens_die_at_once(
    make_user: MakeUser, pair_of: PairOf, api: ServiceClient, now: datetime, ending: str
) -> None:
    user = make_user()
    pair = pair_of(user)
    if ending == "password":
        passwords.change(user=user, current_password=PASSWORD, new_password="weaving algebra")
    elif ending == "deactivation":
        account_closing.deactivate(user_ids=[user.pk])
    else:
        account_closing.close(user=user, password=PASSWORD, now=now)

    assert api.get(ME, HTTP_AUTHORIZATION=f"Bearer {pair.access}").status_code == 401
    assert api.post("/api/token/refresh/", {"refresh": pair.refresh}).status_code == 401
    assert api.post("/api/token/verify/", {"token": pair.refresh}).status_code == 401


def test_a_token_of_before_the_change_does_not_come_back_by_a_new_log_in(make_user: MakeUser, pair_of: PairOf) -> None:
    user = make_user()
    old = pair_of(user)
    passwords.change(user=user, current_password=PASSWORD, new_password="weaving algebra")
    user.refresh_from_db()
    new = pair_of(user)

    assert tokens.authenticate(new.access)[0] == user
    with pytest.raises(tokens.DeadToken):
        tokens.authenticate(old.access)
