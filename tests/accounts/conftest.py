"""What tests of accounts need besides: no rates unless a test is about them, and a look into the outbox."""

from collections.abc import Callable
from datetime import datetime

import pytest
from pytest_django import Settings

from jointoit.accounts import tokens
from jointoit.accounts.models import User
from jointoit.mail import links
from jointoit.mail.models import OutboxMail
from tests.client import ServiceClient

PASSWORD = "correct-horse-9"
ME = "/users/me/"

MakeUser = Callable[..., User]
Mails = Callable[[], list[tuple[str, str]]]
Link = Callable[..., str]
Rates = Callable[..., None]
PairOf = Callable[[User], tokens.Pair]
WithToken = Callable[[User], ServiceClient]


@pytest.fixture
def rates(settings: Settings) -> Rates:
    """Switch rates on; they are counted in the transaction of the test, which leaves nothing behind."""

    def switch_on(**rates: str) -> None:
        settings.REDIS_URL, settings.RATES = "", settings.RATES | rates

    return switch_on


@pytest.fixture
def mails(db: None) -> Mails:
    """The promised mails, oldest first, as (kind, recipient)."""
    return lambda: list(OutboxMail.objects.order_by("pk").values_list("kind", "recipient"))


@pytest.fixture
def link() -> Link:
    """The token that a mail to `user` carries."""

    def mint(kind: links.Kind, user: User, address: str | None = None) -> str:
        return links.mint(kind, user_id=user.pk, token_epoch=user.token_epoch, address=address or user.email)

    return mint


@pytest.fixture
def pair_of(now: datetime) -> PairOf:
    return lambda user: tokens.issue(user=user, now=now)


@pytest.fixture
def with_token(pair_of: PairOf) -> WithToken:
    """A client that sends a real access token."""

    def client(user: User) -> ServiceClient:
        api = ServiceClient()
        api.credentials(HTTP_AUTHORIZATION=f"Bearer {pair_of(user).access}")
        return api

    return client
