"""What the server's own additions to a request leave for the application."""

import pytest

from config import wsgi


def test_a_request_does_not_hold_the_environment_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wsgi, "api", lambda environ, start: [name.encode() for name in environ])

    left = wsgi.application(wsgi.PROCESS | {"PATH_INFO": "/events/", "HTTP_HOST": "a"}, lambda *given: None)

    assert list(left) == [b"PATH_INFO", b"HTTP_HOST"]
