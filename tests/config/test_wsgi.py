"""What the server's own additions to a request leave for the application."""

import os
from typing import Any

import pytest

from jointoit.api.http.handler import Application


def test_a_request_does_not_hold_the_environment_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    application = Application()
    monkeypatch.setattr(application, "api", lambda environ, start: [name.encode() for name in environ])

    start: Any = None
    left = application(dict(os.environ) | {"PATH_INFO": "/events/", "HTTP_HOST": "a"}, start)

    assert list(left) == [b"PATH_INFO", b"HTTP_HOST"]
