"""The end of an account, at the verbs."""

from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group

from jointoit.accounts import account_closing, addresses, passwords, profile
from jointoit.accounts.models import User
from jointoit.accounts.signals import account_is_closing
from jointoit.accounts.signup import sign_up
from jointoit.accounts.tokens import DeadToken
from jointoit.api.models import IdempotencyKey
from jointoit.mail import stops
from jointoit.mail.models import MailStop, OutboxMail

from .conftest import PASSWORD, MakeUser, PairOf


def test_nothing_that_tells_who_it_was_remains(make_user: MakeUser, pair_of: PairOf, now: datetime) -> None:
    user = make_user(
        first_name="Ada", last_name="Lovelace", timezone="Europe/London", email_verified=True, is_staff=True
    )
    user.groups.add(Group.objects.create(name="organizers"))
    pair_of(user)

    account_closing.close(user=user, password=PASSWORD, now=now)

    user.refresh_from_db()
    assert (user.username, user.email) == (f"deleted:{user.pk}", f"deleted-{user.pk}@invalid")
    assert (user.first_name, user.last_name, user.timezone, user.email_verified) == ("", "", "UTC", False)
    assert (user.is_active, user.is_staff, user.token_epoch, user.has_usable_password()) == (False, False, 1, False)
    assert (user.groups.count(), user.refresh_tokens.count()) == (0, 0)


def test_kept_answers_go_with_the_person_they_speak_of(make_user: MakeUser, now: datetime) -> None:
    user, other = make_user(), make_user()
    for person in (user, other):
        IdempotencyKey.objects.create(scope=uuid4(), caller=person.pk, fingerprint="", body=b"...")

    account_closing.close(user=user, password=PASSWORD, now=now)

    assert list(IdempotencyKey.objects.values_list("caller", flat=True)) == [other.pk]


def test_another_persons_mails_are_left_alone(make_user: MakeUser, now: datetime) -> None:
    """Anybody may ask for any free address; who signs up with it meanwhile must not lose a mail."""
    user = make_user(pending_email="vera@example.org")
    addresses.remind(user=user, now=now)
    sign_up(username="vera", email="vera@example.org", password="weaving algebra", now=now)

    account_closing.close(user=user, password=PASSWORD, now=now)

    rows = OutboxMail.objects.order_by("pk").values_list("kind", "state", "recipient")
    assert list(rows)[1:] == [("confirm_email", "superseded", ""), ("welcome", "pending", "vera@example.org")]


def test_name_and_address_are_free_again(make_user: MakeUser, now: datetime) -> None:
    user = make_user(username="ada", email="ada@example.org")
    account_closing.close(user=user, password=PASSWORD, now=now)

    assert sign_up(username="ada", email="ada@example.org", password="weaving algebra", now=now).pk != user.pk


def test_mails_that_wait_are_not_sent_and_all_forget_the_address(make_user: MakeUser, now: datetime) -> None:
    user = make_user(pending_email="new@example.org")
    addresses.remind(user=user, now=now)
    passwords.ask_for_reset(email=user.email, now=now)
    OutboxMail.objects.filter(kind="password_reset").update(state="sent")

    account_closing.close(user=user, password=PASSWORD, now=now)

    rows = OutboxMail.objects.order_by("pk").values_list("state", "recipient", "payload")
    assert list(rows) == [("superseded", "", {}), ("superseded", "", {}), ("sent", "", {})]


@pytest.mark.parametrize(("verified", "left"), [(False, [MailStop.ALL]), (True, [])])
def test_only_who_has_shown_to_read_an_address_takes_its_stops_along(
    make_user: MakeUser, now: datetime, verified: bool, left: list[str]
) -> None:
    """Whoever signed up with a stranger's address must not have the service write there again."""
    user = make_user(email_verified=verified)
    stops.stop(address=user.email, topic=MailStop.ALL)

    account_closing.close(user=user, password=PASSWORD, now=now)

    assert list(MailStop.objects.values_list("topic", flat=True)) == left


def test_other_apps_hear_of_it_while_the_person_is_still_known(make_user: MakeUser, now: datetime) -> None:
    heard: list[tuple[str, datetime]] = []

    def listen(user: User, now: datetime, **_: Any) -> None:
        heard.append((user.email, now))

    user = make_user(email="ada@example.org")
    account_is_closing.connect(listen)
    try:
        account_closing.close(user=user, password=PASSWORD, now=now)
    finally:
        account_is_closing.disconnect(listen)
    assert heard == [("ada@example.org", now)]


def test_a_change_that_was_on_its_way_does_not_bring_the_person_back(make_user: MakeUser, now: datetime) -> None:
    user = make_user()
    account_closing.close(user=user, password=PASSWORD, now=now)

    with pytest.raises(DeadToken):
        profile.update(user=user, values={"username": "back"}, now=now)


def test_the_wrong_password_closes_nothing(make_user: MakeUser, now: datetime) -> None:
    user = make_user()

    with pytest.raises(passwords.WrongPassword):
        account_closing.close(user=user, password="wrong", now=now)

    user.refresh_from_db()
    assert user.is_active


def test_closing_twice_is_closing_once(make_user: MakeUser, now: datetime) -> None:
    user = make_user()
    seen_before = type(user).objects.get()

    account_closing.close(user=user, password=PASSWORD, now=now)
    account_closing.close(user=seen_before, password=PASSWORD, now=now)

    user.refresh_from_db()
    assert user.token_epoch == 1


def test_a_failing_receiver_keeps_the_account(make_user: MakeUser, now: datetime) -> None:
    def fail(**_: Any) -> None:
        raise RuntimeError

    user = make_user()
    account_is_closing.connect(fail)
    try:
        with pytest.raises(RuntimeError):
            account_closing.close(user=user, password=PASSWORD, now=now)
    finally:
        account_is_closing.disconnect(fail)
    user.refresh_from_db()
    assert user.is_active


def test_deactivating_ends_tokens_and_counts_who_was_active(make_user: MakeUser, pair_of: PairOf) -> None:
    one, shut = make_user(), make_user(is_active=False)
    pair_of(one)

    assert account_closing.deactivate(user_ids=[one.pk, shut.pk]) == 1

    one.refresh_from_db()
    shut.refresh_from_db()
    assert [(each.is_active, each.token_epoch) for each in (one, shut)] == [(False, 1), (False, 0)]
    assert not one.refresh_tokens.exists()
