import os
from pathlib import Path

import pytest

from config.env import Reader, assume_development, postgres, read_dotenv
from config.validators import at_least, port, positive


def test_every_problem_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNT", "some")
    monkeypatch.setenv("SECRET", "short")
    env = Reader()
    env.str("ABSENT")
    env.int("COUNT")
    env.str("SECRET", validate=at_least(9))

    with pytest.raises(SystemExit) as refusal:
        env.finish()

    assert str(refusal.value).splitlines() == [
        "Cannot start: these environment variables are missing or wrong.",
        "  ABSENT: Environment variable not set.",
        "  COUNT: Not a valid integer.",
        "  SECRET: Must have at least 9 characters.",
    ]


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLAG", "")

    env = Reader()

    assert (env.bool("FLAG", True), env.int("FLAG", 7), env.list("FLAG", ["a"])) == (True, 7, ["a"])


def test_a_required_variable_may_not_be_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEEDED", "")
    env = Reader()
    env.str("NEEDED")

    with pytest.raises(SystemExit, match="NEEDED: Environment variable not set"):
        env.finish()


@pytest.mark.parametrize(("name", "wrong"), [("A_PORT", "0"), ("A_PORT", "65536"), ("A_NUMBER", "0")])
def test_numbers_are_checked(monkeypatch: pytest.MonkeyPatch, name: str, wrong: str) -> None:
    monkeypatch.setenv(name, wrong)
    env = Reader()
    env.int("A_PORT", 1, validate=port)
    env.int("A_NUMBER", 1, validate=positive)

    with pytest.raises(SystemExit, match=name):
        env.finish()


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "settings"
    file.write_text("# a comment\nSET=file\nEMPTY='from file'\nNEW=\"a b\"\nNOTHING=\n")
    for name, value in {"ENV_FILE": str(file), "SET": "shell", "EMPTY": ""}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NEW", raising=False)

    read_dotenv()

    found = {name: os.environ.get(name) for name in ("SET", "EMPTY", "NEW", "NOTHING")}
    monkeypatch.delenv("NEW")
    assert found == {"SET": "shell", "EMPTY": "from file", "NEW": "a b", "NOTHING": None}


@pytest.mark.parametrize(("before", "after"), [(None, "true"), ("", "true"), ("false", "false")])
def test_a_person_at_a_terminal_gets_development(
    monkeypatch: pytest.MonkeyPatch, before: str | None, after: str
) -> None:
    monkeypatch.delenv("DEBUG")
    if before is not None:
        monkeypatch.setenv("DEBUG", before)

    assume_development()

    assert os.environ["DEBUG"] == after


def test_a_database_url_becomes_settings() -> None:
    assert postgres("postgresql://me:p%20w@db:6432/events?sslmode=require") == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "events",
        "USER": "me",
        "PASSWORD": "p w",
        "HOST": "db",
        "PORT": "6432",
        "OPTIONS": {"sslmode": "require"},
    }
