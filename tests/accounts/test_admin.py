"""What administrators see and do."""

from datetime import datetime, timedelta
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.test import Client, RequestFactory
from django.urls import reverse
from pytest_django import Settings

from jointoit.accounts import account_closing, keys, passwords, superusers
from jointoit.accounts.models import RefreshToken, User
from tests.client import ServiceClient

from .conftest import PASSWORD, Mails, MakeUser, PairOf, Rates

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


# ── Rights ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def helper(make_user: MakeUser) -> User:
    """Staff that may change users and groups."""
    user = make_user(username="helper", email="helper@example.org", is_staff=True, email_verified=True)
    names = ("change_user", "view_user", "add_user", "change_group", "add_group")
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    return user


@pytest.fixture
def staff(helper: User) -> Client:
    client = Client()
    client.force_login(helper)
    return client


def change(client: Client, user: User, **changes: Any) -> int:
    answer = client.post(reverse("admin:accounts_user_change", args=[user.pk]), form_of(user, **changes))
    user.refresh_from_db()
    return answer.status_code


@pytest.mark.parametrize("field", ["is_staff", "is_superuser", "user_permissions"])
def test_only_a_superuser_gives_rights(staff: Client, helper: User, ada: User, field: str) -> None:
    given = Permission.objects.get(codename="delete_user").pk if field == "user_permissions" else "on"

    for user in (helper, ada):
        form = {**({"is_staff": "on"} if user.is_staff else {}), field: given}
        assert change(staff, user, **form) == 302

    assert [(user.is_superuser, user.has_perm("accounts.delete_user")) for user in (helper, ada)] == [(False,) * 2] * 2
    assert not ada.is_staff


@pytest.mark.parametrize("rank", [{"is_superuser": True}, {"is_staff": True}], ids=str)
def test_nobody_below_touches_who_has_rights(staff: Client, make_user: MakeUser, rank: dict[str, bool]) -> None:
    above = make_user(username="above", **rank)
    password = above.password

    assert change(staff, above, email="mine@example.org") == 403
    address = reverse("admin:auth_user_password_change", args=[above.pk])
    assert staff.post(address, BOTH).status_code == 403
    staff.post(reverse(LIST), {"action": "deactivate", "_selected_action": [above.pk]})

    above.refresh_from_db()
    assert (above.email, above.password, above.is_active) == ("above@example.org", password, True)


def test_staff_change_ordinary_accounts(staff: Client, ada: User, mails: Mails) -> None:
    assert change(staff, ada, email="moved@example.org") == 302

    assert (ada.email, ada.email_verified, ada.token_epoch) == ("moved@example.org", False, 1)
    assert mails() == [("email_changed", "ada@example.org")]


def test_groups_are_made_by_superusers(staff: Client, admin: Client) -> None:
    address = reverse("admin:auth_group_add")

    assert [client.post(address, {"name": "helpers"}).status_code for client in (staff, admin)] == [403, 302]


def test_the_own_address_is_asked_for_on_the_own_page_too(staff: Client, helper: User, mails: Mails) -> None:
    assert change(staff, helper, email="mine@example.org", email_verified="on") == 302

    assert (helper.email, helper.pending_email, helper.pending_agreed) == (
        "helper@example.org",
        "mine@example.org",
        False,
    )
    assert mails() == [("email_change_asked", "helper@example.org"), ("confirm_email", "mine@example.org")]


def test_the_own_name_is_told_on_the_own_page_too(staff: Client, helper: User, mails: Mails) -> None:
    assert change(staff, helper, username="other", email_verified="on") == 302

    assert mails() == [("username_changed", "helper@example.org")]


def test_the_own_password_is_changed_where_the_present_one_is_asked_for(staff: Client, helper: User) -> None:
    answer = staff.post(reverse("admin:auth_user_password_change", args=[helper.pk]), BOTH)

    assert (answer.status_code, answer["Location"]) == (302, reverse("admin:password_change"))
    assert User.objects.get(pk=helper.pk).check_password(PASSWORD)


@pytest.mark.parametrize("way", ["rights", "shut", "action"])
def test_the_last_superuser_stays(admin: Client, way: str) -> None:
    root = User.objects.get(username="root")
    if way == "action":
        admin.post(reverse(LIST), {"action": "deactivate", "_selected_action": [root.pk]})
    else:
        flags = {"is_staff": "on", "is_superuser": "on"}
        changes = {"is_staff": "on"} if way == "rights" else flags | {"is_active": ""}
        change(admin, root, **changes)

    root.refresh_from_db()
    assert (root.is_superuser, root.is_active) == (True, True)


def test_the_last_superuser_does_not_close_the_account(admin: Client, make_user: MakeUser, now: datetime) -> None:
    root = User.objects.get(username="root")
    with pytest.raises(superusers.LastSuperuser):
        account_closing.close(user=root, password=PASSWORD, now=now)

    make_user(is_superuser=True)
    account_closing.close(user=root, password=PASSWORD, now=now)

    root.refresh_from_db()
    assert not root.is_active


def test_a_superuser_ends_the_sessions_of_one_person(admin: Client, staff: Client, ada: User) -> None:
    step = {"action": "end_sessions", "_selected_action": [ada.pk]}
    staff.post(reverse(LIST), step)
    assert ada.refresh_tokens.count() == 1

    admin.post(reverse(LIST), step)

    ada.refresh_from_db()
    assert (ada.token_epoch, ada.refresh_tokens.count(), ada.is_active) == (1, 0, True)


def test_a_form_writes_only_what_was_changed_in_it(admin: Client, ada: User) -> None:
    """Between reading the page and saving it the owner has changed the password."""
    request = RequestFactory().post("/")
    request.user = User.objects.get(username="root")
    form = SimpleNamespace(changed_data=["first_name"], cleaned_data={"first_name": "Augusta"})
    stale = User.objects.get(pk=ada.pk)
    passwords.change(user=ada, current_password=PASSWORD, new_password=NEW)

    site.get_model_admin(User).save_model(request, stale, form, change=True)

    ada.refresh_from_db()
    assert (ada.first_name, ada.check_password(NEW), ada.token_epoch) == ("Augusta", True, 1)


# ── Sessions ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("over", "seconds"), [("began", 86_400), ("seen", 3_600)])
def test_a_session_idles_out_after_an_hour_and_ends_after_a_day(admin: Client, over: str, seconds: int) -> None:
    def later(**moved: float) -> int:
        admin.get(reverse("admin:index"))
        session = admin.session
        for name, seconds in moved.items():
            session[name] -= seconds
        session.save()
        return int(admin.get(reverse("admin:index")).status_code)

    day, hour = timedelta(days=1).total_seconds(), timedelta(hours=1).total_seconds()
    assert [later(began=day - 60), later(seen=hour - 60)] == [200, 200]
    assert later(**{over: seconds}) == 302


def test_a_session_ends_with_the_tokens(admin: Client) -> None:
    account_closing.end_access(user_ids=[User.objects.get(username="root").pk])

    assert admin.get(reverse("admin:index")).status_code == 302


# ── Accounts ──────────────────────────────────────────────────────────────────────────────────────────────────────────


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


NEW = "weaving algebra"
BOTH = {"password1": NEW, "password2": NEW, "usable_password": "true"}


def set_by_superuser(ada: User) -> None:
    superuser = Client()
    superuser.force_login(User.objects.create_superuser("boss", "boss@example.org"))
    superuser.post(reverse("admin:auth_user_password_change", args=[ada.pk]), BOTH)


def set_on_the_own_page(ada: User) -> None:
    User.objects.filter(pk=ada.pk).update(is_staff=True)
    own = Client()
    own.force_login(User.objects.get(pk=ada.pk))
    form = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    assert own.post(reverse("admin:password_change"), form).status_code == 302
    assert own.get(reverse("admin:index")).status_code == 200  # this one goes on


def set_at_the_command_line(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getpass", lambda prompt: NEW)
    call_command("changepassword", ada.username, stdout=StringIO())


def set_in_a_shell(ada: User) -> None:
    user = User.objects.get(pk=ada.pk)
    user.set_password(NEW)
    user.save(update_fields=["password"])


@pytest.mark.parametrize("way", ["superuser", "own page", "command line", "shell"])
def test_whoever_writes_a_password_ends_tokens_links_sessions_and_keys(
    ada: User, mails: Mails, now: datetime, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    User.objects.filter(pk=ada.pk).update(pending_email="new@example.org")
    keys.create(user=ada, name="x", scopes=["feed"], password=PASSWORD, now=now)
    session = Client()
    session.force_login(ada)
    before = ada.get_session_auth_hash()

    match way:
        case "superuser":
            set_by_superuser(ada)
        case "own page":
            set_on_the_own_page(ada)
        case "command line":
            set_at_the_command_line(ada, monkeypatch)
        case _:
            set_in_a_shell(ada)

    ada.refresh_from_db()
    assert (ada.check_password(NEW), ada.token_epoch, ada.pending_email) == (True, 1, "")
    assert (ada.refresh_tokens.count(), ada.keys.filter(revoked_at=None).count()) == (0, 0)
    assert (ada.get_session_auth_hash() == before, session.get(reverse("admin:index")).status_code) == (False, 302)
    assert mails() == [("password_changed", "ada@example.org")]


def test_saving_a_row_that_was_read_before_revives_no_token(ada: User) -> None:
    stale = User.objects.get(pk=ada.pk)
    User.objects.filter(pk=ada.pk).update(token_epoch=5)

    stale.save()

    assert User.objects.get(pk=ada.pk).token_epoch == 5


def test_a_hash_by_older_rules_is_renewed_and_ends_nothing(ada: User, settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher", *settings.PASSWORD_HASHERS]
    before = ada.get_session_auth_hash()

    assert ada.check_password(PASSWORD)

    fresh = User.objects.get(pk=ada.pk)
    assert (fresh.password.partition("$")[0], fresh.token_epoch) == ("pbkdf2_sha256", 0)
    assert (fresh.refresh_tokens.count(), fresh.get_session_auth_hash()) == (1, before)


def test_a_renewed_hash_does_not_bring_an_old_password_back(ada: User, settings: Settings) -> None:
    seen = User.objects.get(pk=ada.pk)
    passwords.change(user=ada, current_password=PASSWORD, new_password=NEW)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher", *settings.PASSWORD_HASHERS]

    assert seen.check_password(PASSWORD)

    assert User.objects.get(pk=ada.pk).check_password(NEW)


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


def attempt(client: Client | None = None, *, name: str = "root", password: str = PASSWORD, **more: Any) -> int:
    """302 for whoever got in; 200 shows the form again."""
    form = {"username": name, "password": password}
    address = more.get("address", "192.0.2.1")
    return (client or Client()).post(reverse("admin:login"), form, REMOTE_ADDR=address).status_code


def test_an_address_has_its_number_of_failures_at_the_admin(make_user: MakeUser, rates: Rates) -> None:
    make_user(username="root", is_staff=True)
    rates(login="3/day")
    assert [attempt(), attempt()] == [302, 302]
    assert [attempt(password="wrong") for _ in range(3)] == [200, 200, 200]

    assert (attempt(), attempt(address="192.0.2.2")) == (200, 302)


def test_a_browser_that_signed_in_before_passes_from_anywhere_while_others_guess(
    make_user: MakeUser, rates: Rates
) -> None:
    make_user(username="root", is_staff=True)
    make_user(username="eve", is_staff=True)
    browser, of_eve = Client(), Client()
    assert (attempt(browser), attempt(of_eve, name="eve")) == (302, 302)
    browser.post(reverse("admin:logout"))
    rates(account="1/day")
    attempt(password="wrong", address="203.0.113.1")

    assert attempt(of_eve, address="203.0.113.2") == 200
    assert attempt(browser, address="203.0.113.2") == 302


def test_a_cookie_that_somebody_wrote_passes_nowhere(make_user: MakeUser, rates: Rates) -> None:
    user = make_user(username="root", is_staff=True)
    rates(account="1/day")
    attempt(password="wrong")
    browser = Client()
    browser.cookies["browser"] = f"{user.pk}.ffff:1:junk"

    assert attempt(browser, address="203.0.113.2") == 200


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
