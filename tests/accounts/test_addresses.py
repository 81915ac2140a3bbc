"""Showing that mail is read, and moving to another address, at the verbs."""

from datetime import datetime, timedelta

import pytest

from jointoit.accounts import account_closing, addresses, passwords, profile
from jointoit.accounts.models import User
from jointoit.accounts.notifications import REPEAT_AFTER
from jointoit.accounts.signup import guest, sign_up
from jointoit.accounts.uniqueness import EmailTaken
from jointoit.mail import links
from jointoit.mail.models import OutboxMail

from .conftest import PASSWORD, Link, Mails, MakeUser, PairOf

NEW = "new@example.org"


def ask_for(user: User, address: str, now: datetime, password: str | None = PASSWORD) -> User:
    return profile.update(user=user, values={"email": address}, current_password=password, now=now)


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
    assert mails() == [("email_change_asked", "old@example.org"), ("confirm_email", NEW)]


def test_the_confirmed_address_takes_the_place_of_the_old_one_which_is_told(
    make_user: MakeUser, mails: Mails, link: Link, pair_of: PairOf, now: datetime
) -> None:
    user = make_user(email="old@example.org")
    pair_of(user)
    user = ask_for(user, NEW, now)

    addresses.verify(token=link("change_email", user, NEW))

    user.refresh_from_db()
    assert (user.email, user.pending_email, user.email_verified, user.token_epoch) == (NEW, "", True, 1)
    assert mails()[1:] == [("confirm_email", NEW), ("email_changed", "old@example.org")]
    assert OutboxMail.objects.get(kind="email_changed").payload["new_address_masked"] == "n…@example.org"
    assert not user.refresh_tokens.exists()


def test_the_link_to_a_new_address_may_be_opened_twice(
    make_user: MakeUser, mails: Mails, link: Link, now: datetime
) -> None:
    user = ask_for(make_user(), NEW, now)
    token = link("change_email", user, NEW)

    addresses.verify(token=token)
    addresses.verify(token=token)

    assert [kind for kind, _ in mails()] == ["email_change_asked", "confirm_email", "email_changed"]


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
    ask_for(User.objects.get(), NEW, now, "weaving algebra")

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
    user = make_user(pending_email=NEW, email_verified=True)
    addresses.remind(user=user, now=now)

    assert mails() == [("email_change_asked", user.email), ("confirm_email", NEW)]


def test_where_nothing_waits_no_mail_is_sent(make_user: MakeUser, mails: Mails, now: datetime) -> None:
    addresses.remind(user=make_user(email_verified=True), now=now)

    assert mails() == []


# ── Without the password ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def owner(make_user: MakeUser) -> User:
    return make_user(email="old@example.org", email_verified=True)


@pytest.fixture
def thief(owner: User, now: datetime) -> User:
    """The account after somebody with an access token alone has asked for another address."""
    return ask_for(owner, NEW, now, None)


def standing() -> tuple[str, str]:
    user = User.objects.get()
    return user.email, user.pending_email


def agreement(user: User, link: Link) -> str:
    return link("agree_email", user, addresses.digest(NEW))


def test_a_new_address_alone_does_not_take_the_account(thief: User, link: Link) -> None:
    addresses.verify(token=link("change_email", thief, NEW))

    assert standing() == ("old@example.org", NEW)


def test_the_new_address_takes_effect_once_the_old_one_agrees(thief: User, link: Link) -> None:
    addresses.verify(token=link("change_email", thief, NEW))
    addresses.agree(token=agreement(thief, link))
    addresses.agree(token=agreement(thief, link))

    assert standing() == (NEW, "")


def test_the_old_address_may_agree_first(thief: User, link: Link) -> None:
    addresses.agree(token=agreement(thief, link))
    assert standing() == ("old@example.org", NEW)

    addresses.verify(token=link("change_email", thief, NEW))

    assert standing() == (NEW, "")


def test_agreeing_to_one_address_agrees_to_no_other(thief: User, link: Link, now: datetime) -> None:
    token = agreement(thief, link)
    ask_for(thief, "other@example.org", now, None)

    with pytest.raises(links.BadToken):
        addresses.agree(token=token)


def test_the_wrong_password_asks_for_nothing(owner: User, mails: Mails, now: datetime) -> None:
    with pytest.raises(passwords.WrongPassword):
        ask_for(owner, NEW, now, "wrong")

    assert (standing(), mails()) == (("old@example.org", ""), [])


def test_the_mail_to_the_old_address_carries_the_links_that_it_needs(thief: User) -> None:
    payload = OutboxMail.objects.get(kind="email_change_asked").payload

    assert (payload["agree"], payload["can_stop"]) == (addresses.digest(NEW), True)


def test_an_old_address_that_was_never_verified_cannot_stop(make_user: MakeUser, now: datetime) -> None:
    ask_for(make_user(), NEW, now)

    payload = OutboxMail.objects.get(kind="email_change_asked").payload
    assert (payload["agree"], payload["can_stop"]) == ("", False)


# ── Stopping ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def stop(user: User, link: Link, back: str = "old@example.org") -> User:
    addresses.stop(token=link("stop_change", user, back))
    return User.objects.get(pk=user.pk)


def test_stopping_before_the_change_signs_everybody_out_and_keeps_the_password(
    thief: User, link: Link, pair_of: PairOf
) -> None:
    pair_of(thief)

    user = stop(thief, link)

    assert (standing(), user.token_epoch, user.refresh_tokens.count()) == (("old@example.org", ""), 1, 0)
    assert user.check_password(PASSWORD)


def test_whoever_had_the_password_loses_it(owner: User, link: Link, mails: Mails, now: datetime) -> None:
    user = stop(ask_for(owner, NEW, now), link)

    assert (user.has_usable_password(), mails()[-1]) == (False, ("password_reset", "old@example.org"))


def test_after_the_change_the_old_address_comes_back(owner: User, link: Link, mails: Mails, now: datetime) -> None:
    thief = ask_for(owner, NEW, now)
    addresses.verify(token=link("change_email", thief, NEW))
    passwords.reset(token=link("reset_password", User.objects.get()), new_password="all mine now 7")

    user = stop(owner, link)

    assert (user.email, user.email_verified, user.has_usable_password()) == ("old@example.org", True, False)
    assert mails()[-1] == ("password_reset", "old@example.org")


def test_after_seven_days_it_stays_as_it_is(owner: User, link: Link, now: datetime) -> None:
    addresses.verify(token=link("change_email", ask_for(owner, NEW, now), NEW))
    owner.former_addresses.update(until=now)

    with pytest.raises(links.BadToken):
        stop(owner, link)
    assert (addresses.prune(now), standing()) == (1, (NEW, ""))


def test_nobody_takes_an_address_that_may_come_back(
    owner: User, make_user: MakeUser, link: Link, now: datetime
) -> None:
    addresses.verify(token=link("change_email", ask_for(owner, NEW, now), NEW))

    with pytest.raises(EmailTaken):
        sign_up(username="eve", email="OLD@example.org", password="weaving algebra", now=now)
    with pytest.raises(EmailTaken):
        ask_for(make_user(), "old@example.org", now)
    ask_for(User.objects.get(pk=owner.pk), "old@example.org", now)
    owner.former_addresses.update(until=now - timedelta(seconds=1))
    sign_up(username="eve", email="old@example.org", password="weaving algebra", now=now)


def test_who_is_added_by_an_address_that_was_just_left_is_its_account(owner: User, link: Link, now: datetime) -> None:
    addresses.verify(token=link("change_email", ask_for(owner, NEW, now), NEW))

    assert guest("OLD@example.org", first_name="", last_name="") == owner
    assert stop(owner, link).email == "old@example.org"


def test_an_address_that_staff_gave_to_somebody_does_not_come_back(
    owner: User, make_user: MakeUser, link: Link, now: datetime
) -> None:
    addresses.verify(token=link("change_email", ask_for(owner, NEW, now), NEW))
    make_user(email="old@example.org")

    with pytest.raises(addresses.AddressTakenMeanwhile):
        stop(owner, link)
    owner.refresh_from_db()
    assert (owner.email, owner.former_addresses.count()) == (NEW, 1)


def test_of_two_moves_the_first_address_takes_both_back(owner: User, link: Link, now: datetime) -> None:
    for address in (NEW, "third@example.org"):
        user = ask_for(User.objects.get(), address, now)
        addresses.verify(token=link("change_email", user, address))

    assert (stop(owner, link).email, owner.former_addresses.count()) == ("old@example.org", 0)
    with pytest.raises(links.BadToken):
        stop(owner, link, NEW)


def test_a_new_username_is_told_and_may_be_taken_back(
    owner: User, link: Link, mails: Mails, pair_of: PairOf, now: datetime
) -> None:
    old = owner.username
    profile.update(user=owner, values={"username": "eve"}, now=now)
    pair_of(owner)
    assert (mails(), OutboxMail.objects.get().payload["can_stop"]) == ([("username_changed", owner.email)], True)

    user = stop(owner, link, old)

    assert (user.username, user.token_epoch, user.refresh_tokens.count()) == (old, 1, 0)


def test_a_username_that_somebody_has_by_now_does_not_come_back(
    owner: User, make_user: MakeUser, link: Link, now: datetime
) -> None:
    old = owner.username
    profile.update(user=owner, values={"username": "eve"}, now=now)
    make_user(username=old.upper())

    user = stop(owner, link, old)

    assert (user.username, user.token_epoch) == ("eve", 1)


@pytest.mark.parametrize("ending", ["password", "reset", "everywhere"])
def test_what_ends_tokens_ends_the_wish_for_an_address(thief: User, link: Link, ending: str) -> None:
    token = link("change_email", thief, NEW)
    if ending == "password":
        passwords.change(user=thief, current_password=PASSWORD, new_password="weaving algebra")
    elif ending == "reset":
        passwords.reset(token=link("reset_password", thief), new_password="weaving algebra")
    else:
        account_closing.end_access(user_ids=[thief.pk])

    with pytest.raises(links.BadToken):
        addresses.verify(token=token)
    assert standing() == ("old@example.org", "")
