"""Keys for programs: good for what they say, ended at once, and kept as nothing that opens anything."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from jointoit.accounts import account_closing, keys, passwords
from jointoit.accounts.models import ApiKey, User
from jointoit.accounts.tokens import DeadToken
from jointoit.mail.models import OutboxMail
from tests.client import ServiceClient

PASSWORD = "correct-horse-9"


@pytest.fixture
def ada(make_user: Callable[..., User]) -> User:
    return make_user(username="ada")


@pytest.fixture
def made(ada: User, now: Any) -> Any:
    def make(**fields: Any) -> tuple[ApiKey, str]:
        wanted = {"name": "Printer", "scopes": ["events:read"], "password": PASSWORD} | fields
        return keys.create(user=fields.pop("user", ada), now=now, **wanted)

    return make


def bearer(text: str) -> ServiceClient:
    return ServiceClient(HTTP_AUTHORIZATION=f"Bearer {text}")


def test_a_key_is_its_owner(made, ada, now):
    key, text = made()

    assert keys.authenticate(text, now=now) == (ada, key)


def test_what_is_kept_opens_nothing(made, ada, signed_in):
    key, text = made()
    secret = text.split("_")[2]
    shown = signed_in(ada).get("/users/me/keys/").content.decode()

    assert secret[:20] not in shown + str(ApiKey.objects.values().get())
    assert f"jtk_{key.pk}" in shown


def test_random_keys_open_nothing_and_those_with_a_wrong_checksum_cost_no_query(made, now, django_assert_num_queries):
    _, text = made()
    dice = random.Random(7)
    typos = [mistyped(text, dice) for _ in range(5_000)]
    forged = [f"jtk_{dice.randrange(10**6)}_{keys.random_secret()}000000" for _ in range(5_000)]

    with django_assert_num_queries(0):
        for each in {*typos, *forged} - {text}:
            with pytest.raises(DeadToken):
                keys.authenticate(each, now=now)


def mistyped(text: str, dice: random.Random) -> str:
    place = dice.randrange(len(text))
    return text[:place] + dice.choice(keys.LETTERS) + text[place + 1 :]


def test_a_key_with_a_right_checksum_and_another_secret_is_none(made, now):
    key, _ = made()

    with pytest.raises(DeadToken):
        keys.authenticate(keys.written(key.pk, keys.random_secret()), now=now)


@pytest.mark.parametrize(
    "text", ["jtk_", "jtk_1_x", "jtk_9" + "9" * 30 + "_x", "jtk_-1_" + "a" * 38, "jtk_é_" + "a" * 38]
)
def test_odd_keys_are_401(db, text):
    assert bearer(text).get("/events/").status_code == 401


@pytest.mark.parametrize("end", ["revoked", "expired", "deactivated", "closed", "reset"])
def test_an_ended_key_is_one_and_the_same_401(made, ada, now, signed_in, end):
    key, text = made(expires_at=now + timedelta(days=1))
    if end == "revoked":
        keys.revoke(user=ada, key_id=key.pk, now=now)
    elif end == "expired":
        ApiKey.objects.update(expires_at=now - timedelta(seconds=1))
    elif end == "deactivated":
        account_closing.deactivate(user_ids=[ada.pk])
        User.objects.update(is_active=True)
    elif end == "closed":
        account_closing.close(user=ada, password=PASSWORD, now=now)
    else:
        assert passwords.replace(ada, "another good one", proven_address=ada.email)

    answer = bearer(text).get("/events/")

    assert (answer.status_code, answer.json()["code"]) == (401, "token_not_valid")


def test_a_changed_password_leaves_keys_and_says_how_many_there_are(made, ada):
    _, text = made()

    passwords.change(user=ada, current_password=PASSWORD, new_password="another good one")

    assert bearer(text).get("/events/").status_code == 200
    assert OutboxMail.objects.get(kind="password_changed").payload["keys"] == 1


def test_a_key_makes_no_key(made):
    _, text = made(scopes=list(keys.SCOPES))

    answer = bearer(text).post("/users/me/keys/", {"name": "x", "scopes": ["feed"], "password": PASSWORD})

    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")


def test_a_key_in_the_address_is_ignored(made, signed_in, ada):
    _, text = made(scopes=["attendees:read"])

    assert ServiceClient().get("/registrations/", {"key": text, "access_token": text}).status_code == 401


EVENT = {"title": "Launch", "date": "2099-05-17T18:00:00Z", "location": "Berlin"}


def test_a_key_for_some_events_reaches_no_other(made, ada, make_event, register):
    good, other = make_event(organizer=ada), make_event(organizer=ada, status="draft")
    mine, guests = register(make_event(), ada), register(make_event(organizer=ada))
    _, text = made(scopes=["events:read", "events:write", "attendees:read", "registrations:write"], events=[good.pk])
    client = bearer(text)

    statuses = {
        "good": client.patch(f"/events/{good.pk}/", {"title": "New"}).status_code,
        "other draft": client.get(f"/events/{other.pk}/").status_code,
        "other drafts": [row["id"] for row in client.get("/events/").json()["results"] if row["id"] == other.pk],
        "own elsewhere": client.get(f"/registrations/{mine.pk}/").status_code,
        "own list": client.get("/registrations/").json()["results"],
        "guests elsewhere": client.get(f"/registrations/{guests.pk}/").status_code,
        "changes elsewhere": client.patch(f"/events/{guests.event_id}/", {"title": "New"}).status_code,
        "registers elsewhere": client.post(f"/events/{make_event().pk}/register/").status_code,
        "cancels elsewhere": client.patch(f"/registrations/{mine.pk}/", {"status": "cancelled"}).status_code,
        "makes another": client.post("/events/", EVENT).status_code,
        "makes a copy": client.post(f"/events/{good.pk}/duplicate/", {"date": EVENT["date"]}).status_code,
    }

    assert statuses == {
        "good": 200, "other draft": 404, "other drafts": [], "own elsewhere": 404, "own list": [],
        "guests elsewhere": 404, "changes elsewhere": 403, "registers elsewhere": 403, "cancels elsewhere": 404,
        "makes another": 403, "makes a copy": 403,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("values", "refused"),
    [
        ({"name": "Other", "scopes": ["events:read"]}, None),
        ({"scopes": ["events:read", "feed"]}, "scopes"),
        ({"events": [1, 2]}, "events"),
        ({"events": None}, "events"),
        ({"events": [1]}, None),
        ({"expires_at": timedelta(days=90)}, "expires_at"),
        ({"expires_at": timedelta(days=1)}, None),
    ],
)
def test_a_key_is_only_narrowed(made, ada, now, values, refused):
    key, _ = made(scopes=["events:read", "checkin"], events=[1], expires_at=now + timedelta(days=2))
    values = {name: now + value if isinstance(value, timedelta) else value for name, value in values.items()}

    if refused:
        with pytest.raises(keys.CannotWiden) as error:
            keys.change(user=ada, key_id=key.pk, values=values, now=now)
        assert error.value.field == refused
        return

    keys.change(user=ada, key_id=key.pk, values=values, now=now)

    key.refresh_from_db()
    assert {name: getattr(key, name) for name in values} == values


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"scopes": ["gone"]}, "#/scopes/0"), ({"scopes": []}, "#/scopes"), ({"events": []}, "#/events"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "#/expires_at"),
        ({"expires_at": "2999-01-01T00:00:00Z"}, "#/expires_at"),
        ({"name": "a\nb"}, "#/name"), ({"name": ""}, "#/name"), ({"password": "wrong"}, "#/password"),
        ({"events": [0]}, "#/events/0"),
    ],
)  # fmt: skip
def test_a_wrong_field_of_a_key_is_named(ada, signed_in, fields, named):
    body = {"name": "Printer", "scopes": ["feed"], "password": PASSWORD} | fields

    answer = signed_in(ada).post("/users/me/keys/", body)

    assert (answer.status_code, [error["pointer"] for error in answer.json()["errors"]]) == (400, [named])
    assert not ApiKey.objects.exists()


def test_when_it_was_used_last_is_written_once_a_minute(made, now, django_assert_num_queries):
    _, text = made()
    keys.authenticate(text, now=now)

    with django_assert_num_queries(1):
        keys.authenticate(text, now=now + timedelta(seconds=59))
    with django_assert_num_queries(2):
        keys.authenticate(text, now=now + timedelta(seconds=61))

    assert ApiKey.objects.get().last_used_at == now + timedelta(seconds=61)


def test_the_admin_shows_the_beginning_of_a_key_and_no_more(made, make_user):
    key, _ = made()
    client = Client()
    client.force_login(make_user(is_staff=True, is_superuser=True))

    page = client.get(f"/admin/accounts/user/{key.user_id}/change/").content.decode()

    assert (f"jtk_{key.pk}" in page, key.digest in page) == (True, False)
