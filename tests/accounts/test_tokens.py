"""Giving out, exchanging and ending tokens, at the verbs."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from pytest_django import Settings

from jointoit.accounts import jwt, tokens
from jointoit.accounts.models import RefreshToken
from jointoit.accounts.tokens import DeadToken, Pair

from .conftest import MakeUser, PairOf

STILL, LATE = timedelta(seconds=9.9), timedelta(seconds=10)


def refused(raw: str, now: datetime) -> bool:
    with pytest.raises(DeadToken):
        tokens.refresh(raw=raw, now=now)
    return True


def test_a_log_in_begins_a_family_with_one_row(make_user: MakeUser, pair_of: PairOf, now: datetime) -> None:
    pair_of(make_user())

    row = RefreshToken.objects.get()
    assert (row.used_at, row.expires_at) == (None, now + timedelta(days=30))


def test_the_access_token_names_its_holder(make_user: MakeUser, pair_of: PairOf) -> None:
    user = make_user()

    assert tokens.authenticate(pair_of(user).access)[0] == user


def test_neither_kind_of_token_does_for_the_other(make_user: MakeUser, pair_of: PairOf, now: datetime) -> None:
    pair = pair_of(make_user())

    with pytest.raises(DeadToken):
        tokens.authenticate(pair.refresh)
    assert refused(pair.access, now)


def test_each_exchange_gives_a_new_token(make_user: MakeUser, pair_of: PairOf, now: datetime) -> None:
    first = pair_of(make_user())
    second = tokens.refresh(raw=first.refresh, now=now)
    third = tokens.refresh(raw=second.refresh, now=now)

    assert len({first.refresh, second.refresh, third.refresh}) == 3
    assert RefreshToken.objects.filter(used_at=None).count() == 1


def test_two_tabs_get_the_same_successor(make_user: MakeUser, pair_of: PairOf, now: datetime) -> None:
    first = pair_of(make_user())

    one = tokens.refresh(raw=first.refresh, now=now)
    other = tokens.refresh(raw=first.refresh, now=now + STILL)

    assert one.refresh == other.refresh
    assert RefreshToken.objects.count() == 2


def test_late_reuse_ends_the_whole_family(make_user: MakeUser, pair_of: PairOf, now: datetime) -> None:
    first = pair_of(make_user())
    second = tokens.refresh(raw=first.refresh, now=now)

    assert refused(first.refresh, now + LATE)

    assert refused(second.refresh, now + LATE)
    assert not RefreshToken.objects.exists()


def test_late_reuse_leaves_other_log_ins_alone(make_user: MakeUser, pair_of: PairOf, now: datetime) -> None:
    user = make_user()
    stolen, other = pair_of(user), pair_of(user)
    tokens.refresh(raw=stolen.refresh, now=now)

    assert refused(stolen.refresh, now + LATE)

    assert tokens.refresh(raw=other.refresh, now=now + LATE).refresh


def test_reuse_is_noticed_after_the_used_row_is_gone(make_user: MakeUser, pair_of: PairOf, now: datetime) -> None:
    first = pair_of(make_user())
    second = tokens.refresh(raw=first.refresh, now=now)
    assert tokens.prune(now + tokens.KEEP_USED) == 1

    assert refused(first.refresh, now)

    assert refused(second.refresh, now)


@pytest.mark.parametrize("change", [{"is_active": False}, {"token_epoch": 1}], ids=["shut", "another epoch"])
def test_tokens_die_with_the_account_and_its_epoch(
    make_user: MakeUser, pair_of: PairOf, now: datetime, change: dict[str, Any]
) -> None:
    user = make_user()
    pair = pair_of(user)
    type(user).objects.update(**change)

    assert refused(pair.refresh, now)
    for check in (tokens.authenticate, lambda raw: tokens.verify(raw=raw, now=now)):
        with pytest.raises(DeadToken):
            check(pair.access)


def test_tokens_die_with_a_user_who_is_gone(make_user: MakeUser, pair_of: PairOf, now: datetime) -> None:
    user = make_user()
    pair = pair_of(user)
    user.delete()

    assert refused(pair.refresh, now)
    with pytest.raises(DeadToken):
        tokens.authenticate(pair.access)


def test_verify_knows_both_kinds(make_user: MakeUser, pair_of: PairOf, now: datetime) -> None:
    pair = pair_of(make_user())

    for raw in (pair.access, pair.refresh):
        tokens.verify(raw=raw, now=now)


def test_verify_refuses_what_was_exchanged_a_while_ago(make_user: MakeUser, pair_of: PairOf, now: datetime) -> None:
    pair = pair_of(make_user())
    tokens.refresh(raw=pair.refresh, now=now)

    tokens.verify(raw=pair.refresh, now=now + STILL)
    with pytest.raises(DeadToken):
        tokens.verify(raw=pair.refresh, now=now + LATE)


@pytest.mark.parametrize("claim", ["jti", "family"])
@pytest.mark.parametrize("odd", [None, 5, ["x"], "", "x", "a\x00" * 16, "g" * 32])
def test_a_signed_refresh_token_with_odd_claims_is_refused(
    make_user: MakeUser, now: datetime, claim: str, odd: object
) -> None:
    token = jwt.RefreshToken.issue(make_user(), now=now, family="f" * 32)
    token[claim] = odd

    for use in (tokens.refresh, tokens.verify):
        with pytest.raises(DeadToken):
            use(raw=str(token), now=now)


def test_verify_refuses_a_refresh_token_without_a_row(make_user: MakeUser, pair_of: PairOf, now: datetime) -> None:
    pair = pair_of(make_user())
    RefreshToken.objects.all().delete()

    with pytest.raises(DeadToken):
        tokens.verify(raw=pair.refresh, now=now)


def test_signing_out_ends_the_family_of_one_device(make_user: MakeUser, pair_of: PairOf, now: datetime) -> None:
    user = make_user()
    phone, desk = pair_of(user), pair_of(user)
    later = tokens.refresh(raw=phone.refresh, now=now)

    tokens.revoke(raw=phone.refresh)

    assert refused(later.refresh, now)
    assert tokens.refresh(raw=desk.refresh, now=now).refresh


def test_signing_out_twice_is_refused(make_user: MakeUser, pair_of: PairOf) -> None:
    pair = pair_of(make_user())
    tokens.revoke(raw=pair.refresh)

    with pytest.raises(DeadToken):
        tokens.revoke(raw=pair.refresh)


def test_pruning_takes_only_what_nobody_needs(make_user: MakeUser, now: datetime) -> None:
    tokens.issue(user=make_user(), now=now - timedelta(days=31))
    tokens.issue(user=make_user(), now=now)

    assert tokens.prune(now) == 1
    assert RefreshToken.objects.count() == 1


def test_a_family_ends_however_often_its_token_is_exchanged(
    make_user: MakeUser, now: datetime, settings: Settings
) -> None:
    settings.LONGEST_LOGIN = timedelta(days=45)
    raw = tokens.issue(user=make_user(), now=now - timedelta(days=29)).refresh
    for days in (20, 1):
        raw = tokens.refresh(raw=raw, now=now - timedelta(days=days)).refresh

    last, end = RefreshToken.objects.get(used_at=None), now + timedelta(days=16)
    assert (last.began_at, last.expires_at) == (now - timedelta(days=29), end)
    assert tokens.decoded(jwt.RefreshToken, raw)["exp"] == int(end.timestamp())


def test_a_family_from_before_its_beginning_was_kept_goes_on(make_user: MakeUser, now: datetime) -> None:
    pair = tokens.issue(user=make_user(), now=now)
    RefreshToken.objects.update(began_at=None, issued_at=None)

    tokens.refresh(raw=pair.refresh, now=now + timedelta(days=1))

    assert RefreshToken.objects.get(used_at=None).began_at == now


def test_the_origin_follows_the_family(make_user: MakeUser, now: datetime) -> None:
    pair: Pair = tokens.issue(user=make_user(), now=now, origin="home")
    tokens.refresh(raw=pair.refresh, now=now)

    assert list(RefreshToken.objects.values_list("origin", flat=True)) == ["home", "home"]
