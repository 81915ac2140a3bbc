"""Somebody else's address: who reads mail there shuts the account, stops the mail, or takes the account over."""

from urllib.parse import urlencode

import pytest
from django.utils import timezone

from jointoit.accounts import keys, names, profile, signup, strangers, tokens
from jointoit.accounts.callers import Caller
from jointoit.accounts.models import User
from jointoit.accounts.tokens import DeadToken
from jointoit.events import door_passes
from jointoit.events.models import Invitation, Membership
from jointoit.mail import links, unverified
from jointoit.mail.models import MailStop, OutboxMail
from jointoit.webhooks.models import Webhook

BROWSER = {"HTTP_ACCEPT": "text/html"}
FORM = "application/x-www-form-urlencoded"
NAMES = [{"last_name": "https://evil.example/win now"}, {"first_name": "Visit evil.com"}, {"username": "win.evil.com"}]


@pytest.fixture
def victim(db, now):
    """The account that somebody opened with a stranger's address."""
    return signup.sign_up(username="mallory", email="victim@example.org", password="correct-horse-9", now=now)


def not_me(api, address="victim@example.org"):
    return api.post("/users/not-me/", {"token": links.mint_not_me(address)})


@pytest.mark.parametrize("name", NAMES)
def test_a_name_with_a_link_is_refused_at_sign_up(api, db, name):
    account = {"username": "mallory", "email": "victim@example.org", "password": "correct-horse-9"} | name
    answer = api.post("/users/register/", account)

    (field,) = name
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "link_in_name")
    assert answer.json()["errors"][0]["pointer"] == f"#/{field}"


@pytest.mark.parametrize("name", NAMES)
def test_a_name_with_a_link_is_refused_in_the_profile_unless_it_stands_there(make_user, now, name):
    user = make_user(**name)
    assert profile.update(user=user, values=name, now=now).pk == user.pk
    with pytest.raises(names.LinkInName):
        profile.update(user=make_user(), values=name, now=now)


def test_opening_the_page_changes_nothing(api, victim):
    token = links.mint_not_me(victim.email)
    page = api.get(f"/users/not-me/?token={token}", **BROWSER)

    victim.refresh_from_db()
    assert (page.status_code, victim.is_active, MailStop.objects.count()) == (200, True, 0)
    assert f'<input type="hidden" name="token" value="{token}">' in page.text


def test_the_button_shuts_the_account_and_ends_all_mail(api, victim):
    form = urlencode({"token": links.mint_not_me(victim.email)})
    page = api.generic("POST", "/users/not-me/", form, content_type=FORM, **BROWSER)

    victim.refresh_from_db()
    assert (page.status_code, victim.is_active, MailStop.objects.get().topic) == (200, False, "all")
    assert list(OutboxMail.objects.values_list("kind", "state")) == [("welcome", "superseded")]
    assert not_me(api).status_code == 204


def test_it_shuts_nothing_once_the_address_is_verified(api, victim):
    User.objects.update(email_verified=True)
    answer = not_me(api)

    victim.refresh_from_db()
    assert (answer.status_code, answer.json()["code"], victim.is_active) == (409, "address_verified", True)


def test_an_account_that_only_asked_for_the_address_keeps_its_own(api, make_user, now):
    user = make_user(email_verified=True)
    profile.update(user=user, values={"email": "victim@example.org"}, now=now)
    assert not_me(api).status_code == 204

    user.refresh_from_db()
    assert (user.is_active, user.pending_email) == (True, "")


@pytest.mark.parametrize("path", ["/users/not-me/", "/users/stop-mail/"])
def test_a_token_of_another_mail_does_nothing(api, victim, path):
    token = links.mint("verify_email", user_id=victim.pk, token_epoch=0, address=victim.email)

    assert [api.post(path, {"token": each}).status_code for each in (token, "junk")] == [400, 400]


def test_the_page_to_confirm_names_the_account_and_offers_the_way_out(api, victim):
    token = links.mint("verify_email", user_id=victim.pk, token_epoch=0, address=victim.email)
    page = api.get(f"/users/verify-email/?token={token}", **BROWSER)

    assert ("<bdi>mallory</bdi>" in page.text, "/users/not-me/?token=" in page.text) == (True, True)
    assert "/users/not-me/" not in api.get("/users/verify-email/?token=junk", **BROWSER).text


@pytest.mark.parametrize(("topic", "says"), [("event:5", "about this event?"), ("service", "No more mail?")])
def test_mail_is_stopped_by_a_page_that_says_what_ends(api, db, topic, says):
    address = links.stop_address(links.mint_stop("ada@example.org", topic)).removeprefix("http://127.0.0.1:8000")
    assert says in api.get(address, **BROWSER).text
    assert MailStop.objects.count() == 0

    answers = [api.generic("POST", address, "List-Unsubscribe=One-Click", content_type=FORM), api.post(address, {})]

    assert ([answer.status_code for answer in answers], MailStop.objects.get().topic) == ([200, 204], topic)


def test_whoever_shows_to_read_the_mail_ends_what_was_set_before(victim, now):
    access = tokens.issue(user=victim, now=now).access
    key, _ = keys.create(user=victim, name="k", scopes=["attendees:read"], password="correct-horse-9", now=now)
    User.objects.update(pending_email="mallory@example.net")

    assert [strangers.take_over(user_id=victim.pk) for _ in range(2)] == [True, False]

    victim.refresh_from_db(), key.refresh_from_db()
    assert (victim.has_usable_password(), victim.pending_email, victim.email_verified) == (False, "", True)
    assert key.revoked_at
    with pytest.raises(DeadToken):
        tokens.authenticate(access)


def test_nobody_whom_the_stranger_let_in_stays(victim, make_user, make_event, now):
    event, mallory = make_event(organizer=victim), make_user()
    Membership.objects.create(owner=victim, member=mallory, role="manager", since=now)
    Invitation.objects.create(owner=victim, email="m@example.net", role="manager", created_at=now, expires_at=now)
    door_pass, _ = door_passes.create(caller=Caller(victim), event_id=event.pk, label="back", now=now)
    Webhook.objects.create(owner=victim, url="https://m.example/", types=["event.changed"], seed="", created_at=now)

    strangers.take_over(user_id=victim.pk)

    door_pass.refresh_from_db()
    assert (Membership.objects.count(), Invitation.objects.count(), Webhook.objects.count()) == (0, 0, 0)
    assert door_pass.revoked_at


def test_an_account_that_was_verified_keeps_its_password(make_user):
    user = make_user(email_verified=True)

    assert strangers.take_over(user_id=user.pk) is False
    user.refresh_from_db()
    assert user.has_usable_password()


def test_what_was_held_is_released_by_the_sweeper_once_the_address_is_verified(victim, now):
    OutboxMail.objects.update(held_at=now)
    strangers.release_verified(now)
    assert unverified.held_addresses() == [victim.email]

    User.objects.update(email_verified=True)
    strangers.release_verified(timezone.now())

    assert (unverified.held_addresses(), OutboxMail.objects.get().payload["to"]["verified"]) == ([], True)
