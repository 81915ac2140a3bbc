"""An attack is seen in the log: what was tried, whether it worked, from where, and at whose account; never a name."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from config.env import ROOT
from jointoit.accounts import account_closing, keys, tokens
from jointoit.accounts.models import User
from tests.client import ServiceClient

from .conftest import ME, PASSWORD, Link, Mails, MakeUser, PairOf, Rates, WithToken

NEW = "weaving algebra"
PLACE = "203.0.113.9"


@pytest.fixture
def ada(make_user: MakeUser) -> User:
    return make_user(username="ada", email="ada@example.org", email_verified=True)


@pytest.fixture
def noted(caplog: pytest.LogCaptureFixture) -> Any:
    """The lines so far, without their time and ids."""

    def lines() -> list[dict[str, Any]]:
        said: list[Any] = [record.msg for record in caplog.records if record.name == "jointoit.security"]
        told = ("action", "result", "client", "user_id", "rate")
        return [{name: line[name] for name in told if line.get(name) is not None} for line in said]

    return lines


def line(action: str, result: str, user: User | None = None, **more: Any) -> dict[str, Any]:
    known = {"user_id": user.pk} if user else {}
    return {"action": action, "result": result, "client": PLACE} | known | more


def log_in(api: ServiceClient, name: str, password: str) -> int:
    return api.post("/api/token/", {"username": name, "password": password}, REMOTE_ADDR=PLACE).status_code


def test_log_ins_are_told_with_their_result(api: ServiceClient, ada: User, rates: Rates, noted: Any) -> None:
    rates(login="1/day")

    for password in (PASSWORD, "wrong", PASSWORD):
        log_in(api, "ada", password)
    log_in(api, "nobody", "wrong")

    assert noted() == [
        line("login", "ok", ada),
        line("login", "failed", ada),
        line("login", "refused", ada, rate="login"),
        line("login", "failed"),
    ]


def test_an_account_under_attack_is_told(api: ServiceClient, ada: User, rates: Rates, noted: Any) -> None:
    rates(account="1/day")

    for _ in range(2):
        log_in(api, "ada", "wrong")

    assert noted()[-1] == line("login", "refused", ada, rate="account")


def test_no_line_has_a_name(api: ServiceClient, ada: User, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("ada", "ada@example.org", "somebody", "somebody@example.org"):
        log_in(api, name, "wrong-secret")

    said = " ".join(str(record.msg) for record in caplog.records if record.name == "jointoit.security")
    assert [word in said for word in ("ada", "somebody", "example.org", "wrong-secret", PLACE)] == [False] * 4 + [True]


def test_the_admin_tells_as_well(ada: User, noted: Any) -> None:
    User.objects.update(is_staff=True)
    for password in ("wrong", PASSWORD):
        Client().post(reverse("admin:login"), {"username": "ada", "password": password}, REMOTE_ADDR=PLACE)

    assert noted() == [line("admin_login", "failed", ada), line("admin_login", "ok", ada)]


def test_steps_of_an_account_are_told(ada: User, with_token: WithToken, noted: Any, now: datetime) -> None:
    client = with_token(ada)
    client.patch(ME, {"username": "lovelace"}, REMOTE_ADDR=PLACE)
    client.patch(ME, {"email": "new@example.org", "current_password": "wrong"}, REMOTE_ADDR=PLACE)
    client.patch(ME, {"email": "new@example.org"}, REMOTE_ADDR=PLACE)
    body = {"name": "x", "scopes": ["feed"], "password": PASSWORD}
    key = client.post(f"{ME}keys/", body, REMOTE_ADDR=PLACE).json()["id"]
    client.delete(f"{ME}keys/{key}/", REMOTE_ADDR=PLACE)
    client.post(f"{ME}password/", {"current_password": PASSWORD, "new_password": NEW}, REMOTE_ADDR=PLACE)

    assert noted() == [
        line("username_change", "ok", ada),
        line("password_check", "failed", ada),
        line("email_change_asked", "ok", ada),
        line("key_made", "ok", ada),
        line("key_ended", "ok", ada),
        line("password_change", "ok", ada),
    ]


def test_links_are_told(api: ServiceClient, ada: User, link: Link, noted: Any) -> None:
    api.post("/users/changes/stop/", {"token": link("stop_change", ada)}, REMOTE_ADDR=PLACE)
    ada.refresh_from_db()
    body = {"token": link("reset_password", ada), "new_password": NEW}
    api.post("/users/password-reset/confirm/", body, REMOTE_ADDR=PLACE)

    assert noted() == [line("change_taken_back", "ok", ada), line("password_reset", "ok", ada)]


def test_a_refresh_token_used_again_is_told_to_log_and_owner(
    api: ServiceClient, ada: User, pair_of: PairOf, mails: Mails, noted: Any, now: datetime
) -> None:
    first = pair_of(ada)
    tokens.refresh(raw=first.refresh, now=now - timedelta(minutes=1))

    for _ in range(2):
        api.post("/api/token/refresh/", {"refresh": first.refresh}, REMOTE_ADDR=PLACE)

    assert noted() == [line("refresh_token_reused", "refused", ada)]
    assert mails() == [("session_ended", "ada@example.org")]


def test_rights_are_told_with_who_gave_them(ada: User, caplog: pytest.LogCaptureFixture) -> None:
    root = User.objects.create_superuser("root", "root@example.org")
    client = Client()
    client.force_login(root)
    names = ("username", "email", "first_name", "last_name", "timezone", "is_active", "email_verified")
    inlines = {f"{name}-{what}_FORMS": 0 for name in ("keys", "memberships") for what in ("TOTAL", "INITIAL")}
    form = {name: getattr(ada, name) for name in names} | inlines | {"is_staff": "on"}

    client.post(reverse("admin:accounts_user_change", args=[ada.pk]), form)

    (said,) = [record.msg for record in caplog.records if record.name == "jointoit.security"]
    assert (said["action"], said["user_id"], said["rights"], said["by"]) == ("rights", ada.pk, ["is_staff"], root.pk)  # type: ignore[index]


def test_what_ends_an_account_is_told(ada: User, make_user: MakeUser, noted: Any, now: datetime) -> None:
    keys.create(user=ada, name="x", scopes=["feed"], password=PASSWORD, now=now)
    account_closing.end_access(user_ids=[ada.pk])
    account_closing.deactivate(user_ids=[make_user().pk])
    account_closing.close(user=User.objects.get(pk=ada.pk), password=PASSWORD, now=now)

    assert [each["action"] for each in noted()] == ["key_made", "sessions_ended", "account_shut", "account_closed"]


def test_a_host_that_is_not_ours_is_told(api: ServiceClient, noted: Any) -> None:
    api.get("/events/", HTTP_HOST="evil.example", REMOTE_ADDR=PLACE)

    assert noted() == [line("host", "refused")]


@pytest.mark.parametrize("gap", ["", " "], ids=["web", "others"])
def test_fail2ban_finds_the_client_by_what_the_manual_says(gap: str) -> None:
    manual = (ROOT / "docs/operations.md").read_text()
    (pattern,) = re.findall(r"^failregex = (.+)$", manual, re.MULTILINE)
    said = '{"action":G"login",G"result":G"failed",G"client":G"203.0.113.9",G"user_id":G7}'.replace("G", gap)

    found = re.search(pattern.replace("<HOST>", r"(?P<host>[0-9a-f.:]+)"), said)

    assert found
    assert found["host"] == PLACE
