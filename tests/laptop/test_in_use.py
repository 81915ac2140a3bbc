import os
from pathlib import Path

from laptop import in_use
from laptop.stack import Shared


class Idle:
    def url(self) -> str:
        return "postgresql://nowhere"

    def start(self) -> str:
        return self.url()

    def stop(self) -> None:
        """Nothing runs."""


def test_what_is_in_use_is_not_cleaned_and_who_uses_it_is_named(tmp_path: Path) -> None:
    shared = Shared(Idle(), tmp_path, "PostgreSQL")
    shared.acquire()
    [user] = in_use.users(tmp_path)
    assert user.startswith(f"process {os.getpid()}: ")

    shared.release()
    assert in_use.users(tmp_path) == []
