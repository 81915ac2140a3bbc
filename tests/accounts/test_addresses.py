"""Showing that mail is read, and moving to another address, at the verbs."""

from datetime import datetime

import pytest

from jointoit.accounts import addresses, passwords, profile
from jointoit.accounts.models import User
from jointoit.accounts.notifications import REPEAT_AFTER
from jointoit.accounts.uniqueness import EmailTaken
from jointoit.mail import links
from jointoit.mail.models import OutboxMail

from .conftest import PASSWORD, Link, Mails, MakeUser, PairOf

NEW = "new@example.org"


def ask_for(user: User, address: str, now: datetime) -> User:
    return profile.update(user_id=user.pk, values={"email": address}, now=now)


def test_the_link_confirms_the_address_and_may_be_opened_twice(make_user: MakeUser, link: Link) -> None:
    user = make_user()
    token = link("verify_email", user)

    addresses.verify(token=token)
    addresses.verify(token=token)

    user.refresh_from_db()
    assert (user.email_verified, user.token_epoch) == (True, 0)


def test_a_link_to_the_present_address_outlives_a_change_of_password(make_user: MakeUser, link: Link) -> None:
    user = make_user()
    token = link("verify_email", user)
    passwords.change(user=user, current_password=PASSWORD, new_password="weaving algebra")

    addresses.verify(token=token)

    user.refresh_from_db()
    assert user.email_verified


def test_a_new_address_waits_for_its_confirmation(make_user: MakeUser, mails: Mails, now: datetime) -> None:
    user = make_user(email="old@example.org")

    ask_for(user, NEW, now)

    user.refresh_from_db()
    assert (user.email, user.pending_email) == ("old@example.org", NEW)
    assert mails() == [("confirm_email", NEW)]


def test_the_confirmed_address_takes_the_place_of_the_old_one_which_is_told(
    make_user: MakeUser, mails: Mails, link: Link, pair_of: PairOf, now: datetime
) -> None:
    user = make_user(email="old@example.org")
    pair_of(user)
    user = ask_for(user, NEW, now)

    addresses.verify(token=link("change_email", user, NEW))

    user.refresh_from_db()
    assert (user.email, user.pending_email, user.email_verified, user.token_epoch) == (NEW, "", True, 1)
    assert mails() == [("confirm_email", NEW), ("email_changed", "old@example.org")]
    assert OutboxMail.objects.get(kind="email_changed").payload["new_address_masked"] == "n…@example.org"
    assert not user.refresh_tokens.exists()


def test_the_link_to_a_new_address_may_be_opened_twice(
    make_user: MakeUser, mails: Mails, link: Link, now: datetime
) -> None:
    user = ask_for(make_user(), NEW, now)
    token = link("change_email", user, NEW)

    addresses.verify(token=token)
    addresses.verify(token=token)

    assert [kind for kind, _ in mails()] == ["confirm_email", "email_changed"]


def test_an_address_of_somebody_else_is_refused_at_once(make_user: MakeUser, mails: Mails, now: datetime) -> None:
    make_user(email=NEW)

    with pytest.raises(EmailTaken):
        ask_for(make_user(), NEW.upper(), now)

    assert mails() == []


def test_whoever_confirms_first_has_the_address(make_user: MakeUser, link: Link, now: datetime) -> None:
    first, second = (ask_for(make_user(), NEW, now) for _ in range(2))
    addresses.verify(token=link("change_email", first, NEW))

    with pytest.raises(addresses.AddressTakenMeanwhile):
        addresses.verify(token=link("change_email", second, NEW))

    second.refresh_from_db()
    assert (second.token_epoch, second.pending_email) == (0, NEW)


def test_asking_for_the_present_address_withdraws_the_wish(make_user: MakeUser, link: Link, now: datetime) -> None:
    user = make_user(email="old@example.org")
    ask_for(user, NEW, now)
    user = ask_for(user, "OLD@example.org", now)

    with pytest.raises(links.BadToken):
        addresses.verify(token=link("change_email", user, NEW))


def test_a_change_of_password_ends_the_link_to_a_new_address(make_user: MakeUser, link: Link, now: datetime) -> None:
    user = ask_for(make_user(), NEW, now)
    token = link("change_email", user, NEW)
    passwords.change(user=user, current_password=PASSWORD, new_password="weaving algebra")
    ask_for(user, NEW, now)

    with pytest.raises(links.BadToken):
        addresses.verify(token=token)


def test_a_shut_account_confirms_nothing(make_user: MakeUser, link: Link) -> None:
    user = make_user(is_active=False)

    with pytest.raises(links.BadToken):
        addresses.verify(token=link("verify_email", user))


def test_a_link_for_another_purpose_confirms_nothing(make_user: MakeUser, link: Link) -> None:
    with pytest.raises(links.BadToken):
        addresses.verify(token=link("reset_password", make_user()))


def test_asking_for_the_link_twice_in_a_row_sends_one_mail(make_user: MakeUser, mails: Mails, now: datetime) -> None:
    user = make_user(email="a@example.org")

    addresses.remind(user=user, now=now)
    addresses.remind(user=user, now=now)

    assert mails() == [("confirm_email", "a@example.org")]


def test_asking_again_later_sends_another_mail(make_user: MakeUser, mails: Mails, now: datetime) -> None:
    user = make_user(email="a@example.org")

    addresses.remind(user=user, now=now)
    addresses.remind(user=user, now=now + REPEAT_AFTER)

    assert mails() == [("confirm_email", "a@example.org")] * 2


def test_the_link_goes_again_to_the_address_that_waits(make_user: MakeUser, mails: Mails, now: datetime) -> None:
    addresses.remind(user=make_user(pending_email=NEW, email_verified=True), now=now)

    assert mails() == [("confirm_email", NEW)]


def test_where_nothing_waits_no_mail_is_sent(make_user: MakeUser, mails: Mails, now: datetime) -> None:
    addresses.remind(user=make_user(email_verified=True), now=now)

    assert mails() == []
