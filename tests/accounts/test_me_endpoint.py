"""/users/me/ and what hangs below it, over the whole stack."""

from typing import Any

import pytest

from jointoit.accounts import addresses
from jointoit.accounts.models import User
from tests.client import ServiceClient

from .conftest import ME, PASSWORD, Link, Mails, MakeUser, PairOf, Rates, WithToken

NEW_PASSWORD = "weaving algebra"
FIELDS = [
    "id",
    "username",
    "email",
    "email_verified",
    "pending_email",
    "first_name",
    "last_name",
    "timezone",
    "date_joined",
]


@pytest.fixture
def ada(make_user: MakeUser) -> User:
    return make_user(
        username="ada", email="ada@example.org", first_name="Ada", last_name="Lovelace", timezone="Europe/London"
    )


@pytest.fixture
def client(ada: User, with_token: WithToken) -> ServiceClient:
    return with_token(ada)


def test_the_owner_reads_the_account_and_no_cache_keeps_it(client: ServiceClient) -> None:
    answer = client.get(ME)

    assert (answer.status_code, list(answer.json()), answer["Cache-Control"]) == (200, FIELDS, "no-store")


def test_put_leaves_what_it_does_not_name(client: ServiceClient, ada: User) -> None:
    answer = client.put(ME, {"username": "countess", "email": "ada@example.org", "last_name": ""})

    assert answer.status_code == 200
    assert [answer.json()[name] for name in ("username", "first_name", "last_name", "timezone")] == [
        "countess",
        "Ada",
        "",
        "Europe/London",
    ]
    ada.refresh_from_db()
    assert (ada.username, ada.first_name, ada.timezone) == ("countess", "Ada", "Europe/London")


@pytest.mark.parametrize("missing", ["username", "email"])
def test_put_needs_name_and_address(client: ServiceClient, missing: str) -> None:
    body = {"username": "ada", "email": "ada@example.org"}
    del body[missing]

    assert [error["pointer"] for error in client.put(ME, body).json()["errors"]] == [f"#/{missing}"]


def test_patch_leaves_the_rest_as_it_is(client: ServiceClient) -> None:
    before = client.get(ME).json()

    assert client.patch(ME, {"timezone": "Asia/Tokyo"}).json() == before | {"timezone": "Asia/Tokyo"}
    assert client.patch(ME, {}).json() == before | {"timezone": "Asia/Tokyo"}


@pytest.mark.parametrize("method", ["put", "patch"])
def test_what_is_not_yours_to_say_is_ignored(client: ServiceClient, ada: User, method: str) -> None:
    more = {
        "email_verified": True,
        "date_joined": "2000-01-01T00:00:00Z",
        "is_staff": True,
        "is_superuser": True,
    }
    tail = {"token_epoch": 5, "password": "hijack-me-9", "pending_email": "x@example.org", "is_active": False}

    answer = getattr(client, method)(ME, {"username": "ada", "email": "ada@example.org"} | more | tail)

    now = User.objects.get()
    assert (answer.status_code, now.pk, now.email_verified, now.is_staff, now.is_superuser) == (
        200,
        ada.pk,
        False,
        False,
        False,
    )
    assert (now.date_joined, now.token_epoch, now.pending_email, now.is_active) == (ada.date_joined, 0, "", True)
    assert now.check_password(PASSWORD)


def test_a_new_address_shows_once_it_is_confirmed(client: ServiceClient, ada: User, mails: Mails, link: Link) -> None:
    answer = client.patch(ME, {"email": "new@example.org", "current_password": PASSWORD}).json()

    assert (answer["email"], answer["pending_email"]) == ("ada@example.org", "new@example.org")
    assert mails() == [("email_change_asked", "ada@example.org"), ("confirm_email", "new@example.org")]
    addresses.verify(token=link("change_email", ada, "new@example.org"))
    assert client.get(ME).status_code == 401


@pytest.mark.parametrize(("field", "value"), [("username", "BOB"), ("email", "bob@EXAMPLE.org")])
def test_what_somebody_else_has_is_named(client: ServiceClient, make_user: MakeUser, field: str, value: str) -> None:
    make_user(username="bob", email="bob@example.org")

    refusal = client.patch(ME, {field: value})

    assert (refusal.status_code, refusal.json()["errors"][0]["pointer"]) == (400, f"#/{field}")


def test_the_case_of_the_own_name_may_change(client: ServiceClient) -> None:
    assert client.patch(ME, {"username": "Ada"}).json()["username"] == "Ada"


def test_asking_for_ever_new_addresses_is_rated(client: ServiceClient, rates: Rates, mails: Mails) -> None:
    rates(reset="2/day")

    answers = [client.patch(ME, {"email": f"{number}@example.org"}).status_code for number in range(3)]

    assert (answers, len(mails())) == ([200, 200, 429], 4)
    assert client.patch(ME, {"first_name": "Augusta"}).status_code == 200


def test_a_stolen_token_does_not_guess_the_password_by_the_profile(client: ServiceClient, rates: Rates) -> None:
    rates(login="1/day")

    answers = [client.patch(ME, {"current_password": "wrong"}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [400, 429]
    assert answers[0].json()["errors"][0]["pointer"] == "#/current_password"


def test_an_etag_gives_304_and_guards_a_change(client: ServiceClient) -> None:
    etag = client.get(ME)["ETag"]
    assert client.get(ME, HTTP_IF_NONE_MATCH=etag).status_code == 304

    answers = [client.patch(ME, {"first_name": name}, HTTP_IF_MATCH=etag) for name in ("Augusta", "Byron")]

    assert [answer.status_code for answer in answers] == [200, 412]
    assert client.get(ME).json()["first_name"] == "Augusta"


def test_a_stale_etag_closes_nothing(client: ServiceClient, ada: User) -> None:
    assert client.delete(ME, {"password": PASSWORD}, HTTP_IF_MATCH='"stale"').status_code == 412
    ada.refresh_from_db()
    assert ada.is_active


# ── Password ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_password_changes_and_every_token_ends(
    client: ServiceClient, ada: User, api: ServiceClient, pair_of: PairOf
) -> None:
    other = pair_of(ada)

    answer = client.post(f"{ME}password/", {"current_password": PASSWORD, "new_password": NEW_PASSWORD})

    assert (answer.status_code, answer.content) == (204, b"")
    assert client.get(ME).status_code == 401
    assert api.post("/api/token/refresh/", {"refresh": other.refresh}).status_code == 401
    logins = [api.post("/api/token/", {"username": "ada", "password": each}) for each in (NEW_PASSWORD, PASSWORD)]
    assert [login.status_code for login in logins] == [200, 401]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"current_password": "wrong", "new_password": NEW_PASSWORD}, "#/current_password"),
        ({"current_password": PASSWORD, "new_password": "short"}, "#/new_password"),
        ({"current_password": PASSWORD, "new_password": "lovelace1"}, "#/new_password"),
        ({"current_password": PASSWORD, "new_password": 5}, "#/new_password"),
        ({"current_password": [PASSWORD], "new_password": NEW_PASSWORD}, "#/current_password"),
        ({"new_password": NEW_PASSWORD}, "#/current_password"),
    ],
)
def test_a_refused_change_names_what_is_wrong(client: ServiceClient, body: dict[str, Any], pointer: str) -> None:
    refusal = client.post(f"{ME}password/", body)

    assert (refusal.status_code, refusal.json()["errors"][0]["pointer"]) == (400, pointer)
    assert client.get(ME).status_code == 200


def test_a_stolen_token_does_not_guess_the_password(client: ServiceClient, rates: Rates) -> None:
    rates(login="2/day")
    body = {"current_password": "wrong", "new_password": NEW_PASSWORD}

    guesses = [
        client.post(f"{ME}password/", body),
        client.delete(ME, {"password": "wrong"}),
        client.post(f"{ME}password/", body),
    ]

    assert [guess.status_code for guess in guesses] == [400, 400, 429]
    assert int(guesses[-1]["Retry-After"]) > 0


# ── Closing ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_owner_closes_the_account(client: ServiceClient, ada: User, api: ServiceClient) -> None:
    answer = client.delete(ME, {"password": PASSWORD})

    assert (answer.status_code, answer.content) == (204, b"")
    assert client.get(ME).status_code == 401
    assert api.post("/api/token/", {"username": "ada", "password": PASSWORD}).status_code == 401
    ada.refresh_from_db()
    assert (ada.username, ada.is_active) == (f"deleted:{ada.pk}", False)


@pytest.mark.parametrize("body", [{}, {"password": "wrong"}, {"password": None}, {"password": [PASSWORD]}], ids=repr)
def test_without_the_password_nothing_is_closed(client: ServiceClient, ada: User, body: dict[str, Any]) -> None:
    refusal = client.delete(ME, body)

    assert (refusal.status_code, refusal.json()["errors"][0]["pointer"]) == (400, "#/password")
    ada.refresh_from_db()
    assert ada.is_active


# ── Mails on request ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_confirmation_is_sent_again(client: ServiceClient, mails: Mails) -> None:
    answer = client.post("/users/verify-email/resend/")

    assert (answer.status_code, answer.json(), mails()) == (202, {}, [("confirm_email", "ada@example.org")])


def test_only_the_owner_asks_for_it(api: ServiceClient, db: None) -> None:
    assert api.post("/users/verify-email/resend/").status_code == 401


def test_a_reset_is_promised_to_the_address(api: ServiceClient, ada: User, mails: Mails) -> None:
    answer = api.post("/users/password-reset/", {"email": "ADA@example.org"})

    assert (answer.status_code, answer.json(), mails()) == (202, {}, [("password_reset", "ada@example.org")])


@pytest.mark.parametrize("email", ["", "x", None, 5, ["ada@example.org"], "a@b.co,c@d.co", "b\u0131ll@example.org"])
def test_a_reset_for_what_is_no_address_is_400(api: ServiceClient, db: None, email: object) -> None:
    assert api.post("/users/password-reset/", {"email": email}).status_code == 400


@pytest.mark.parametrize(
    ("method", "url"),
    [("get", ME), ("put", ME), ("patch", ME), ("delete", ME), ("post", f"{ME}password/")],
)
def test_without_a_token_nothing_is_told(api: ServiceClient, db: None, method: str, url: str) -> None:
    assert getattr(api, method)(url).status_code == 401
