"""Where one is logged in, and ending one log-in or all of them, over HTTP."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from jointoit.accounts import jwt, keys, tokens
from jointoit.accounts.models import User
from tests.client import ServiceClient

from .conftest import ME, PASSWORD, MakeUser, PairOf, WithToken

SESSIONS = f"{ME}sessions/"


@pytest.fixture
def ada(make_user: MakeUser) -> User:
    return make_user(username="ada")


@pytest.fixture
def client(ada: User, with_token: WithToken) -> ServiceClient:
    return with_token(ada)


def families(client: ServiceClient) -> list[str]:
    return [each["id"] for each in client.get(SESSIONS).json()["results"]]


def test_each_log_in_is_listed_with_what_the_program_called_itself(
    api: ServiceClient, ada: User, client: ServiceClient
) -> None:
    body = {"username": "ada", "password": PASSWORD}
    pair = api.post("/api/token/", body, HTTP_USER_AGENT="Fire\u00adfox" + "x" * 300).json()
    token = tokens.decoded(jwt.RefreshToken, pair["refresh"])

    newest = client.get(SESSIONS).json()["results"][0]

    assert (newest["id"].replace("-", ""), newest["device"]) == (token["family"], "Firefox" + "x" * 193)
    assert sorted(newest) == ["began_at", "device", "expires_at", "id", "last_used_at"]


def test_an_exchange_moves_last_used_and_leaves_one_row(
    ada: User, client: ServiceClient, pair_of: PairOf, now: datetime
) -> None:
    ada.refresh_tokens.all().delete()
    first = tokens.issue(user=ada, now=now - timedelta(days=2))
    tokens.refresh(raw=first.refresh, now=now - timedelta(days=1))

    (session,) = client.get(SESSIONS).json()["results"]

    moments = [datetime.fromisoformat(session[name]) - now for name in ("began_at", "last_used_at", "expires_at")]
    assert moments == [timedelta(days=-2), timedelta(days=-1), timedelta(days=29)]


def test_one_log_in_is_ended(ada: User, client: ServiceClient, api: ServiceClient, pair_of: PairOf) -> None:
    other = pair_of(ada)
    family = tokens.decoded(jwt.RefreshToken, other.refresh)["family"]

    (listed,) = [each for each in families(client) if each.replace("-", "") == family]
    assert client.delete(f"{SESSIONS}{listed}/").status_code == 204

    assert api.post("/api/token/refresh/", {"refresh": other.refresh}).status_code == 401
    assert len(families(client)) == 1


def test_nobody_ends_a_log_in_of_somebody_else(client: ServiceClient, make_user: MakeUser, pair_of: PairOf) -> None:
    other = make_user()
    pair_of(other)
    (row,) = other.refresh_tokens.all()

    answers = [client.delete(f"{SESSIONS}{each}/").status_code for each in (row.family, uuid4(), "7")]

    assert (answers, other.refresh_tokens.count()) == ([404, 404, 404], 1)


def test_logging_out_everywhere_ends_every_token_and_the_wish_for_an_address_and_leaves_keys(
    ada: User, client: ServiceClient, api: ServiceClient, pair_of: PairOf, now: datetime
) -> None:
    other = pair_of(ada)
    User.objects.update(pending_email="new@example.org")
    keys.create(user=ada, name="x", scopes=["feed"], password=PASSWORD, now=now)

    assert client.delete(SESSIONS).status_code == 204

    assert client.get(ME).status_code == 401
    assert api.post("/api/token/refresh/", {"refresh": other.refresh}).status_code == 401
    ada.refresh_from_db()
    assert (ada.pending_email, ada.keys.filter(revoked_at=None).count()) == ("", 1)


def test_the_list_comes_in_pages(ada: User, client: ServiceClient, pair_of: PairOf) -> None:
    for _ in range(3):
        pair_of(ada)

    page = client.get(SESSIONS, {"page_size": 3}).json()

    rest = client.get(page["next"]).json()["results"]
    assert len({each["id"] for each in (*page["results"], *rest)}) == 4
