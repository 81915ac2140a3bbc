"""The helper that every test and benchmark takes its ports from."""

import secrets

import pytest

from tests import servers


def test_a_port_is_lent_once(monkeypatch: pytest.MonkeyPatch) -> None:
    first = servers.free_port()
    drawn = [first, first, servers.free_port(), second := servers.PORTS.start - 1]
    monkeypatch.setattr(secrets, "choice", lambda numbers: drawn.pop(0))

    assert servers.free_port() == second
