"""What administrators see and do."""

from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from jointoit.accounts.models import RefreshToken, User
from tests.client import ServiceClient

from .conftest import PASSWORD, MakeUser, PairOf, Rates

LIST, TOKENS = "admin:accounts_user_changelist", "admin:accounts_refreshtoken_changelist"


@pytest.fixture
def admin(make_user: MakeUser) -> Client:
    client = Client()
    client.force_login(make_user(username="root", is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def ada(make_user: MakeUser, pair_of: PairOf) -> User:
    user = make_user(username="ada", email="ada@example.org")
    pair_of(user)
    return user


def form_of(user: User, **changes: Any) -> dict[str, Any]:
    names = ("username", "email", "first_name", "last_name", "timezone", "is_active")
    inlines = {f"{name}-{what}_FORMS": 0 for name in ("keys", "memberships") for what in ("TOTAL", "INITIAL")}
    return {name: getattr(user, name) for name in names} | inlines | changes


def test_an_administrator_signs_in_by_name_or_address_in_any_case(make_user: MakeUser) -> None:
    make_user(username="root", email="root@example.org", is_staff=True)

    assert [Client().login(username=name, password=PASSWORD) for name in ("ROOT", "Root@example.org", "no")] == [
        True,
        True,
        False,
    ]


def test_the_first_administrator_is_made_at_the_command_line(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)

    call_command("createsuperuser", "--noinput", username="Ｒoot", email="root@example.org", verbosity=0)

    user = User.objects.get()
    assert (user.username, user.is_staff, user.is_superuser, user.check_password(PASSWORD)) == (
        "Root",
        True,
        True,
        True,
    )


def test_users_are_found_by_name_and_address(admin: Client, ada: User) -> None:
    for search in ("ada", "ada@example"):
        assert list(admin.get(reverse(LIST), {"q": search}).context["cl"].queryset) == [ada]


def test_the_form_does_not_show_the_hash_of_the_password(admin: Client, ada: User) -> None:
    page = admin.get(reverse("admin:accounts_user_change", args=[ada.pk]))

    assert (page.status_code, ada.password.rpartition("$")[2] in page.text, "id_password" in page.text) == (
        200,
        False,
        False,
    )


def test_an_account_is_added(admin: Client) -> None:
    form = {"username": "ｇｒａｃｅ", "email": "grace@example.org", "password1": PASSWORD, "password2": PASSWORD}

    admin.post(reverse("admin:accounts_user_add"), form | {"usable_password": "true"})

    assert User.objects.get(username="grace").check_password(PASSWORD)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", "ADA"),
        ("username", "a b"),
        ("email", "ADA@example.org"),
        ("email", "a@b"),
        ("timezone", "Mars/Base"),
    ],
)
def test_what_the_api_refuses_is_told_in_the_form(
    admin: Client, ada: User, make_user: MakeUser, field: str, value: str
) -> None:
    other = make_user()

    page = admin.post(reverse("admin:accounts_user_change", args=[other.pk]), form_of(other, **{field: value}))

    assert (page.status_code, page.context["adminform"].form.is_valid()) == (200, False)


def test_the_action_deactivates_and_ends_tokens(admin: Client, ada: User) -> None:
    admin.post(reverse(LIST), {"action": "deactivate", "_selected_action": [ada.pk]})

    ada.refresh_from_db()
    assert (ada.is_active, ada.token_epoch, ada.refresh_tokens.count()) == (False, 1, 0)


@pytest.mark.parametrize(
    ("changes", "epoch"),
    [({}, 0), ({"first_name": "Ada"}, 0), ({"is_active": ""}, 1), ({"email": "new@example.org"}, 1)],
    ids=["nothing", "name", "shut", "address"],
)
def test_a_change_in_the_form_ends_tokens_where_it_would_elsewhere(
    admin: Client, ada: User, changes: dict[str, Any], epoch: int
) -> None:
    answer = admin.post(reverse("admin:accounts_user_change", args=[ada.pk]), form_of(ada, **changes))

    ada.refresh_from_db()
    assert (answer.status_code, ada.token_epoch, ada.refresh_tokens.count()) == (302, epoch, 1 - epoch)


def test_a_password_set_by_an_administrator_ends_tokens(admin: Client, ada: User) -> None:
    form = {"password1": "weaving algebra", "password2": "weaving algebra", "usable_password": "true"}

    admin.post(reverse("admin:auth_user_password_change", args=[ada.pk]), form)

    ada.refresh_from_db()
    assert (ada.check_password("weaving algebra"), ada.token_epoch, ada.refresh_tokens.count()) == (True, 1, 0)


def test_refresh_tokens_are_only_looked_at(admin: Client, ada: User) -> None:
    row = RefreshToken.objects.get()
    page = admin.get(reverse("admin:accounts_refreshtoken_change", args=[row.pk]))

    assert [admin.get(reverse(TOKENS)).status_code, page.status_code, page.context["has_change_permission"]] == [
        200,
        200,
        False,
    ]
    for step in ("add", "delete"):
        args = [] if step == "add" else [row.pk]
        assert admin.post(reverse(f"admin:accounts_refreshtoken_{step}", args=args)).status_code == 403


def test_accounts_are_not_deleted(admin: Client, ada: User) -> None:
    assert admin.post(reverse("admin:accounts_user_delete", args=[ada.pk])).status_code == 403


def attempt(*, name: str = "root", password: str = PASSWORD, address: str = "192.0.2.1") -> int:
    """302 for whoever got in; 200 shows the form again."""
    form = {"username": name, "password": password}
    return Client().post(reverse("admin:login"), form, REMOTE_ADDR=address).status_code


def test_an_address_has_its_number_of_attempts_at_the_admin(make_user: MakeUser, rates: Rates) -> None:
    make_user(username="root", is_staff=True)
    rates(login="3/day")
    assert [attempt(password="wrong") for _ in range(3)] == [200, 200, 200]

    assert (attempt(), attempt(address="192.0.2.2")) == (200, 302)


def test_an_account_has_its_number_of_attempts_at_the_admin_and_the_api_together(
    api: ServiceClient, make_user: MakeUser, rates: Rates
) -> None:
    make_user(username="boss", is_staff=True)
    rates(account="2/day")
    wrong = {"username": "boss", "password": "wrong"}
    assert [api.post("/api/token/", wrong).status_code for _ in range(2)] == [401, 401]

    assert attempt(name="boss", address="192.0.2.3") == 200


def test_a_refusal_does_not_say_whether_the_password_was_right(make_user: MakeUser, rates: Rates) -> None:
    make_user(username="chief", is_staff=True)
    rates(account="1/day")
    attempt(name="chief", password="wrong")

    page = Client().post(reverse("admin:login"), {"username": "chief", "password": PASSWORD})

    assert "Too many attempts. Try again later." in page.content.decode()
    assert "sessionid" not in page.cookies
