"""Changing and resetting a password, at the verbs."""

from datetime import datetime, timedelta

import pytest

from jointoit.accounts import logins, passwords
from jointoit.accounts.notifications import REPEAT_AFTER
from jointoit.mail import links
from jointoit.mail.models import OutboxMail

from .conftest import PASSWORD, Link, Mails, MakeUser, PairOf

NEW = "weaving algebra"


def test_a_changed_password_ends_every_token_and_is_told(make_user: MakeUser, mails: Mails, pair_of: PairOf) -> None:
    user = make_user(email="a@example.org", pending_email="b@example.org")
    pair_of(user)

    passwords.change(user=user, current_password=PASSWORD, new_password=NEW)

    user.refresh_from_db()
    assert (user.check_password(NEW), user.token_epoch, user.pending_email) == (True, 1, "")
    assert (mails(), user.refresh_tokens.count()) == ([("password_changed", "a@example.org")], 0)


def test_only_who_knows_the_password_changes_it(make_user: MakeUser, mails: Mails) -> None:
    user = make_user()

    with pytest.raises(passwords.WrongPassword) as refusal:
        passwords.change(user=user, current_password=f"{PASSWORD} ", new_password=NEW)

    assert (refusal.value.field, mails()) == ("current_password", [])


def test_a_weak_new_password_is_refused(make_user: MakeUser) -> None:
    user = make_user(username="lovelace")

    with pytest.raises(passwords.WeakPassword) as refusal:
        passwords.change(user=user, current_password=PASSWORD, new_password="lovelace1")

    assert refusal.value.field == "new_password"


def test_of_two_changes_from_one_state_the_second_is_refused(make_user: MakeUser) -> None:
    user = make_user()
    passwords.change(user=type(user).objects.get(), current_password=PASSWORD, new_password=NEW)

    with pytest.raises(passwords.WrongPassword):
        passwords.change(user=user, current_password=PASSWORD, new_password="another pass")

    user.refresh_from_db()
    assert logins.check(user=user, password=NEW) == user


def test_a_reset_link_goes_to_the_address_on_file(make_user: MakeUser, mails: Mails, now: datetime) -> None:
    make_user(email="Ada@example.org")

    passwords.ask_for_reset(email="ada@EXAMPLE.org", now=now)

    assert mails() == [("password_reset", "Ada@example.org")]
    assert OutboxMail.objects.get().expires_at == now + timedelta(hours=24)


@pytest.mark.parametrize("address", ["shut@example.org", "nobody@example.org"])
def test_without_an_active_account_the_same_row_is_written_but_never_sent(
    make_user: MakeUser, now: datetime, address: str
) -> None:
    make_user(email="shut@example.org", is_active=False)

    passwords.ask_for_reset(email=address, now=now)

    mail = OutboxMail.objects.get()
    assert (mail.kind, mail.recipient, mail.expires_at) == ("password_reset", "nobody@account.invalid", now)


def test_asking_for_a_reset_twice_in_a_row_sends_one_mail(make_user: MakeUser, mails: Mails, now: datetime) -> None:
    make_user(email="ada@example.org")

    for later in (timedelta(0), timedelta(0), REPEAT_AFTER):
        passwords.ask_for_reset(email="ada@example.org", now=now + later)

    assert len(mails()) == 2


def test_the_reset_link_sets_the_password_once(make_user: MakeUser, link: Link, mails: Mails) -> None:
    user = make_user(email="a@example.org")
    token = link("reset_password", user)

    passwords.reset(token=token, new_password=NEW)
    with pytest.raises(links.BadToken):
        passwords.reset(token=token, new_password="another pass")

    user.refresh_from_db()
    assert (user.check_password(NEW), user.token_epoch, user.email_verified) == (True, 1, True)
    assert mails() == [("password_changed", "a@example.org")]


def test_a_weak_password_does_not_use_the_link_up(make_user: MakeUser, link: Link) -> None:
    token = link("reset_password", make_user())

    with pytest.raises(passwords.WeakPassword):
        passwords.reset(token=token, new_password="12345678")

    passwords.reset(token=token, new_password=NEW)


def test_a_reset_link_that_went_elsewhere_confirms_no_address(make_user: MakeUser, link: Link) -> None:
    user = make_user()

    passwords.reset(token=link("reset_password", user, "other@example.org"), new_password=NEW)

    user.refresh_from_db()
    assert not user.email_verified


def test_a_shut_account_is_not_reset(make_user: MakeUser, link: Link) -> None:
    with pytest.raises(links.BadToken):
        passwords.reset(token=link("reset_password", make_user(is_active=False)), new_password=NEW)


def test_a_link_to_confirm_an_address_resets_nothing(make_user: MakeUser, link: Link) -> None:
    with pytest.raises(links.BadToken):
        passwords.reset(token=link("verify_email", make_user()), new_password=NEW)
