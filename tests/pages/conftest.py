"""A browser for what only a browser can prove, and people who are signed in by a session."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext

from jointoit.accounts.models import User
from tests.client import BrowserClient

PASSWORD = "correct-horse-9"


@pytest.fixture
def open_browser(browser: Browser, live_server: Any, settings: Any) -> Iterator[Callable[..., BrowserContext]]:
    """Opens a browser of its own, at this service; with a `user`, signed in."""
    settings.PUBLIC_URL, settings.CSRF_TRUSTED_ORIGINS = live_server.url, [live_server.url]
    contexts = []

    def open_one(user: User | None = None, **options: Any) -> BrowserContext:
        context = browser.new_context(base_url=live_server.url, **options)
        contexts.append(context)
        if user:
            client = BrowserClient()
            client.force_login(user)
            session = client.cookies["sessionid"].value
            context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
        return context

    yield open_one
    for context in contexts:
        context.close()


@pytest.fixture
def log_in() -> Callable[[User], BrowserClient]:
    """A client with a session, which checks forms as production does."""

    def enter(user: User, **options: Any) -> BrowserClient:
        client = BrowserClient(**options)
        client.force_login(user)
        return client

    return enter
