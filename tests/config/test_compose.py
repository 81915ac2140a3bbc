"""Who reaches whom, and who knows what, in the Compose stack."""

from typing import Any

import pytest
import yaml

from config.env import ROOT


def services(name: str = "compose.yaml") -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / name).read_text())["services"]
    return found


@pytest.mark.parametrize(
    ("one", "other", "reached"),
    [
        ("proxy", "web", True), ("proxy", "db", False), ("proxy", "redis", False), ("proxy", "maildev", False),
        ("web", "db", True), ("web", "redis", True), ("web", "maildev", False), ("worker", "db", True),
        ("worker", "redis", True), ("worker", "maildev", True), ("sweeper", "maildev", True), ("maildev", "db", False),
        ("backup", "db", True), ("migrate", "db", True),
    ],
)  # fmt: skip
def test_each_reaches_what_it_needs_and_no_more(one: str, other: str, reached: bool) -> None:
    networks = {name: set(service["networks"]) for name, service in services().items()}

    assert bool(networks[one] & networks[other]) is reached


def test_only_the_release_step_and_the_backup_know_the_owner_of_the_tables() -> None:
    knows = {
        name
        for name, service in services().items()
        for variable in ("DATABASE_OWNER_URL", "POSTGRES_PASSWORD", "PGPASSWORD")
        if service.get("environment", {}).get(variable)
    }

    assert knows == {"db", "migrate", "backup"}


def test_in_production_every_secret_is_asked_for() -> None:
    text = (ROOT / "compose.production.yaml").read_text()
    secrets = ("SECRET_KEY", "JWT_SIGNING_KEY", "DATABASE_PASSWORD", "POSTGRES_PASSWORD")

    assert [name for name in secrets if f"${{{name}:?}}" not in text] == []
    assert ":-jointoit" not in text


def test_both_files_start_the_same_services() -> None:
    assert set(services()) - set(services("compose.production.yaml")) == {"maildev"}
