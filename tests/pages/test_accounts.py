"""Signing up, in and out on pages, and what a session is good for."""

import re

import pytest
from django.urls import reverse

from jointoit.accounts import passwords, tokens
from jointoit.accounts.models import RefreshToken, User
from tests.client import BrowserClient
from tests.pages.conftest import PASSWORD

pytestmark = pytest.mark.django_db
LOGIN = "/login/"
ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example",
    "javascript:alert(1)",
    "https:evil",
    " //evil",
]


def enter(client, username="ada", password=PASSWORD, **more):
    return client.post(LOGIN, {"username": username, "password": password, **more})


def test_who_signs_up_is_signed_in_and_gets_a_mail(client, mails):
    sent = {
        "username": "ada",
        "email": "ada@example.org",
        "password": "a long sentence of mine",
        "timezone": "Asia/Tokyo",
    }

    answer = client.post("/signup/", sent)

    user = User.objects.get(username="ada")
    assert (answer.status_code, answer["Location"], user.timezone) == (302, "/me/", "Asia/Tokyo")
    assert (client.get("/me/").status_code, mails(user)) == (200, ["welcome"])


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"password": "kurz"}, "This password is too short"),
        ({"email": "nobody"}, "This must be an e-mail address"),
        ({"username": "a b"}, "Letters, digits and . + - _ only."),
        ({"username": "\x00"}, "Null characters are not allowed."),
        ({"email": "taken@example.org"}, "e-mail"),
    ],
)
def test_a_refused_form_says_why_and_loses_nothing(client, make_user, wrong, sentence):
    make_user(email="taken@example.org")
    sent = {"username": "ada", "email": "ada@example.org", "password": "a long sentence of mine", **wrong}

    page = client.post("/signup/", sent)

    assert (page.status_code, sentence in page.text) == (400, True)
    kept = "email" if "username" in wrong else "username"
    assert f'value="{sent[kept]}"' in page.text
    assert sent["password"] not in page.text


@pytest.mark.parametrize("login", ["ada", "ADA", "Ada@Example.org"])
def test_one_logs_in_with_name_or_address_in_any_case(client, make_user, login):
    make_user(username="ada", email="ada@example.org")

    assert enter(client, login)["Location"] == "/me/"


@pytest.mark.parametrize("who", ["wrong password", "unknown", "inactive"])
def test_a_refused_log_in_says_the_same_whatever_is_wrong(client, make_user, who):
    make_user(username="ada", is_active=who != "inactive")

    page = enter(client, "bob" if who == "unknown" else "ada", "wrong" if who == "wrong password" else PASSWORD)

    assert (page.status_code, "No active account has this name and password." in page.text) == (400, True)


def test_log_in_goes_on_where_one_came_from(client, make_user):
    make_user(username="ada")

    assert client.get("/manage/")["Location"] == "/login/?next=%2Fmanage%2F"
    assert enter(client, next="/manage/?upcoming=false")["Location"] == "/manage/?upcoming=false"


@pytest.mark.parametrize("address", ELSEWHERE)
def test_nobody_is_led_to_another_host(client, make_user, address):
    make_user(username="ada")

    assert address not in client.get(LOGIN, {"next": address}).text
    assert enter(client, next=address)["Location"] == "/me/"
    assert client.get(LOGIN, {"next": address})["Location"] == "/me/"


@pytest.mark.parametrize("path", ["/login/", "/signup/", "/password-reset/", "/logout/"])
def test_a_form_without_its_token_does_nothing_and_says_how_to_go_on(make_user, path):
    make_user(username="ada")
    client = BrowserClient(enforce_csrf_checks=True)

    page = client.post(path, {"username": "ada", "password": PASSWORD})

    assert (page.status_code, "This form is too old" in page.text, "sessionid" in client.cookies) == (403, True, False)


def test_a_session_ends_when_the_password_is_changed_elsewhere(log_in, make_user):
    user = make_user()
    here, there = log_in(user), log_in(user)
    there.post("/me/account/", {"do": "password", "current_password": PASSWORD, "new_password": "another sentence 9"})

    assert there.get("/me/").status_code == 200
    assert here.get("/me/")["Location"] == "/login/?next=%2Fme%2F"


def test_a_session_ends_with_every_token(log_in, make_user):
    user = make_user()
    client = log_in(user)
    user.end_access(keys=False).save()

    assert client.get("/me/").status_code == 302


def test_logging_out_takes_a_button(log_in, make_user):
    client = log_in(make_user())

    assert "<button" in client.get("/logout/").text
    assert client.get("/me/").status_code == 200
    client.post("/logout/")
    assert client.get("/me/").status_code == 302


@pytest.mark.parametrize("known", [True, False])
def test_asking_for_a_new_password_says_the_same_for_every_address(client, make_user, known):
    make_user(email="ada@example.org")

    page = client.post("/password-reset/", {"email": "ada@example.org" if known else "bob@example.org"})

    assert (page.status_code, "If there is an account with this address" in page.text) == (200, True)


def test_too_many_log_ins_are_told_to_wait(client, settings, make_user):
    settings.RATES = settings.RATES | {"login": "1/min"}
    make_user(username="ada")
    pages = [enter(client, password="wrong") for _ in range(2)]

    assert [page.status_code for page in pages] == [400, 429]
    assert int(pages[1]["Retry-After"]) > 0


def test_settings_are_saved(log_in, make_user):
    user = make_user()
    sent = {
        "username": user.username,
        "email": user.email,
        "first_name": "Ada",
        "last_name": "",
        "timezone": "Asia/Tokyo",
    }

    log_in(user).post("/me/account/", {"do": "profile", **sent})

    user.refresh_from_db()
    assert (user.first_name, user.timezone) == ("Ada", "Asia/Tokyo")


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"do": "profile", "username": "ada", "email": "taken@example.org", "timezone": "UTC"}, "e-mail"),
        ({"do": "profile", "username": "a b", "email": "ada@example.org", "timezone": "UTC"}, "Letters, digits"),
        ({"do": "password", "current_password": PASSWORD, "new_password": "password"}, "too common"),
        ({"do": "password", "current_password": PASSWORD}, "This field is required."),
        ({"do": "key", "name": "x", "scopes": ["feed"], "password": "wrong"}, "password"),
        ({"do": "key", "name": "x", "scopes": ["all"], "password": PASSWORD}, "Select a valid choice."),
        ({"do": "export"}, "This field is required."),
    ],
)
def test_settings_that_are_refused_say_why_beside_the_field(log_in, make_user, sent, sentence):
    make_user(email="taken@example.org")

    page = log_in(make_user(username="ada", email="ada@example.org")).post("/me/account/", sent)

    wrong = " ".join(re.findall(r'class="wrong"[^>]*>([^<]*)<', page.text))
    assert (page.status_code, sentence in wrong) == (400, True)


def test_a_mail_that_did_not_arrive_is_sent_again(log_in, make_user, mails):
    user = make_user()

    log_in(user).post("/me/account/", {"do": "resend"})

    assert mails(user) == ["confirm_email"]


def test_a_key_is_shown_once_and_ended_by_a_button(log_in, make_user):
    user = make_user()
    client, sent = log_in(user), {"do": "key", "name": "Printer", "scopes": ["events:read"], "password": PASSWORD}

    first, again = client.post("/me/account/", sent).text, client.get("/me/account/").text

    assert ("jtk_" in first, "jtk_" in again, "Printer" in again) == (True, False, True)
    client.post("/me/account/", {"do": "end_key", "key": user.keys.get().pk})
    assert "Printer" not in client.get("/me/account/").text


def test_an_account_is_closed_with_its_password_only(log_in, make_user):
    user = make_user()
    client = log_in(user)

    assert client.post("/me/account/close/", {"password": "wrong"}).status_code == 400
    assert "Your account is closed" in client.post("/me/account/close/", {"password": PASSWORD}).text
    assert User.objects.get(pk=user.pk).is_active is False


def test_the_new_password_of_a_page_is_the_one_of_the_api(log_in, make_user):
    user = make_user()
    log_in(user).post(
        reverse("page-account"), {"do": "password", "current_password": PASSWORD, "new_password": "n3w sentence"}
    )

    passwords.confirm("n3w sentence", user=User.objects.get(pk=user.pk), field="password")


def test_log_ins_of_programs_are_ended_one_by_one_or_all_but_this_browser(log_in, make_user, now):
    user = make_user()
    for number in range(2):
        tokens.issue(user=user, now=now, device=f"App {number}")
    client, elsewhere = log_in(user), log_in(user)
    session = re.findall(r'name="session" value="([^"]+)"', client.get("/me/account/").text)[0]

    client.post("/me/account/", {"do": "end_session", "session": session})
    client.post("/me/account/", {"do": "end_session", "session": "nonsense"})

    page = client.get("/me/account/").text
    assert ["App 0" in page, "App 1" in page].count(True) == 1
    assert RefreshToken.objects.filter(user=user).count() == 1
    client.post("/me/account/", {"do": "end_others"})
    assert (client.get("/me/").status_code, elsewhere.get("/me/").status_code) == (200, 302)
    assert RefreshToken.objects.filter(user=user).count() == 0


@pytest.mark.parametrize("password", ["", PASSWORD])
def test_a_new_address_waits_in_sight_and_is_withdrawn_by_a_button(log_in, make_user, password):
    user = make_user(email_verified=True)
    client = log_in(user)
    sent = {"username": user.username, "email": "new@example.org", "timezone": "UTC", "current_password": password}

    client.post("/me/account/", {"do": "profile", **sent})

    page = client.get("/me/account/").text
    assert ("new@example.org takes the place of" in page, "Besides, " in page) == (True, password == "")
    client.post("/me/account/", {"do": "keep_email"})
    user.refresh_from_db()
    assert (user.email, user.pending_email) == (sent["username"] + "@example.org", "")


def test_all_that_is_known_of_a_person_comes_as_a_file_with_the_password_only(log_in, make_user):
    client = log_in(make_user(username="ada"))

    refused = client.post("/me/account/", {"do": "export", "password": "wrong"})
    answer = client.post("/me/account/", {"do": "export", "password": PASSWORD})

    assert (refused.status_code, refused["Content-Type"]) == (400, "text/html; charset=utf-8")
    assert (answer["Content-Disposition"], answer["Cache-Control"]) == (
        'attachment; filename="personal-data.json"',
        "no-store",
    )
    assert answer.json()["account"]["username"] == "ada"


def test_a_helper_leaves_a_team(log_in, make_event, make_user, now):
    event, helper = make_event(title="Chess"), make_user()
    role = event.memberships.create(owner=event.organizer, member=helper, role="door", since=now)
    client = log_in(helper)

    page = client.get("/me/account/").text
    for _ in range(2):
        client.post("/me/account/", {"do": "leave", "role": role.pk})

    assert ("Chess" in page, "at the door" in page, event.memberships.count()) == (True, True, 0)
