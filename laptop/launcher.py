"""`make run`: the whole service on one laptop, from the database to the mail inbox, in one terminal."""

import asyncio
import http.client
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from config import validators
from config.env import ROOT, Reader, assume_development
from jointoit.process.ports import listen, why_not
from laptop import interrupted, maildev, stack
from laptop.supervisor import Program, Supervisor, say

COMMAND = [sys.executable, "-m", "jointoit"]


@dataclass(frozen=True)
class Plan:
    """Where everything is going to listen. Without an `inbox_port` mail goes to the server that EMAIL_HOST names."""

    host: str
    port: int
    inbox_port: int | None
    smtp_port: int

    @property
    def home(self) -> str:
        return f"http://{address(self.host)}:{self.port}"


def address(host: str) -> str:
    """How a browser on this machine reaches a server that listens on `host`."""
    here = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104
    return f"[{here}]" if ":" in here and not here.startswith("[") else here


def read_plan() -> Plan:
    """Read the environment; exits naming all that is wrong there, or every port that is taken."""
    env = Reader()
    host = env.str("HOST", "127.0.0.1")
    web_port = env.int("PORT", 8000, validate=validators.port)
    inbox_port = env.int("INBOX_PORT", 1080, validate=validators.port)
    smtp_port = env.int("EMAIL_PORT", 1025, validate=validators.port)
    env.finish()
    own_inbox = not os.environ.get("EMAIL_HOST")
    wanted = [("PORT", host, web_port)] + [("INBOX_PORT", "127.0.0.1", inbox_port)] * own_inbox
    problems = [problem for variable, place, number in wanted if (problem := why_not(variable, place, number))]
    if own_inbox and web_port == inbox_port:
        problems.append(f"PORT and INBOX_PORT are both {web_port}: choose two.")
    if problems:
        sys.exit("\n".join(problems))
    return Plan(host, web_port, inbox_port if own_inbox else None, free_port("127.0.0.1", smtp_port))


def free_port(host: str, wanted: int) -> int:
    """The wanted port, or any free one when it is taken: nobody but our own worker has to know it."""
    for number in (wanted, 0):
        try:
            with listen(host, number) as probe:
                return int(probe.getsockname()[1])
        except OSError:
            continue
    return wanted


def prepare_environment(plan: Plan) -> None:
    """Tell the programs where they are, unless the person said so."""
    set_if_unset("HOST", plan.host)
    set_if_unset("PORT", str(plan.port))
    set_if_unset("PUBLIC_URL", plan.home)
    if plan.inbox_port:
        os.environ |= {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(plan.smtp_port), "EMAIL_USE_TLS": "false"}
    os.environ["PYTHONUNBUFFERED"] = "1"
    if sys.stdout.isatty():
        set_if_unset("FORCE_COLOR", "1")  # their lines end on this terminal
    if os.geteuid() == 0:  # who starts this as root was asked by nobody to run a worker for the world
        os.environ["PYTHONWARNINGS"] = "ignore:You're running the worker with superuser privileges"


def set_if_unset(variable: str, value: str) -> None:
    if not os.environ.get(variable):
        os.environ[variable] = value


def migrate() -> None:
    """Bring the database up to date; exits when that fails, with what it said above."""
    ran = subprocess.run([*COMMAND, "migrate", "--verbosity", "1"], check=False, capture_output=True, text=True)
    if ran.returncode:
        sys.exit(f"{ran.stdout}{ran.stderr}The database could not be migrated; nothing was started.")
    if applied := ran.stdout.count("  Applying"):
        say(f"  {applied} migrations applied.")


def programs(plan: Plan, inbox: list[str]) -> list[Program]:
    """In the order of their start; the web server leaves first, the inbox last."""
    first = [Program("inbox", inbox, leaves=2, patience=10)] if inbox else []
    return [
        *first,
        Program("web", [*COMMAND, "serve"], leaves=0),
        Program("worker", [*COMMAND, "work"], leaves=1),
        Program("sweeper", [*COMMAND, "sweep"], leaves=1),
    ]


def answers(host: str, number: int, path: str) -> bool:
    connection = http.client.HTTPConnection(host.strip("[]"), number, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < 500
    except OSError:
        return False
    finally:
        connection.close()


async def until_answers(host: str, number: int, path: str) -> None:
    while not await asyncio.to_thread(answers, host, number, path):  # noqa: ASYNC110  another process answers
        await asyncio.sleep(0.05)


async def welcome(plan: Plan, inbox: str) -> None:
    """Say where to go as soon as everything answers."""
    await until_answers(address(plan.host), plan.port, "/health/live/")
    if plan.inbox_port:
        await until_answers("127.0.0.1", plan.inbox_port, "/api/healthz")
    say(screen(plan, inbox))


def screen(plan: Plan, inbox: str) -> str:
    mail = f"http://127.0.0.1:{plan.inbox_port}/" if plan.inbox_port else f"none here, EMAIL_HOST is {inbox}"
    own = " and ".join(server.name for server in stack.started)
    servers = f"{own} of this checkout, data in {shown(stack.data_folder())}/" if own else "as given"
    rule = "─" * 78
    return "\n".join([
        "", rule, "  Jointoit is running.", "",
        f"  API         {plan.home}/",
        f"  Docs        {plan.home}/api/docs/    ReDoc: {plan.home}/api/redoc/",
        f"  Mail inbox  {mail}" + (f"    ({inbox})" if plan.inbox_port and inbox != "MailDev" else ""),
        f"  Admin       {plan.home}/admin/    its first user: make superuser", "",
        "  Example data: make demo    A Python prompt: make shell    Stop: Ctrl-C",
        f"  Servers: {servers}", rule, "",
    ])  # fmt: skip


def own_servers() -> list[str]:
    named = {"DATABASE_URL": "PostgreSQL", "REDIS_URL": "Valkey"}
    return [name for variable, name in named.items() if not os.environ.get(variable)]


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def main() -> int:
    """Start everything, wait, stop everything. Exit status 0 when asked to stop, 1 when something would not run."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    assume_development()
    plan = read_plan()
    say(f"Starting {' and '.join(own_servers()) or 'with the servers that DATABASE_URL and REDIS_URL name'} …")
    stack.ensure()
    prepare_environment(plan)
    inbox, command = os.environ["EMAIL_HOST"], list[str]()
    if plan.inbox_port:
        inbox, command = maildev.command(
            host="127.0.0.1", smtp_port=plan.smtp_port, web_port=plan.inbox_port,
            mails=stack.data_folder() / "mails",
        )  # fmt: skip
    say("Bringing the database up to date …")
    migrate()
    say("Starting the web server, the mail worker, the sweeper" + (" and the inbox …" if command else " …"))
    return asyncio.run(supervise(plan, inbox, command))


class ServerGone(Exception):
    """A server of this checkout has ended while everything was running."""


async def welcome_and_watch(plan: Plan, inbox: str) -> None:
    await welcome(plan, inbox)
    if stack.started:
        raise ServerGone(await stack.until_gone())


async def supervise(plan: Plan, inbox: str, command: list[str]) -> int:
    obeying = asyncio.create_task(interrupted.obey())
    try:
        status = await Supervisor(programs(plan, command)).run(lambda: welcome_and_watch(plan, inbox))
    except ServerGone as gone:
        place = shown(stack.data_folder())
        say(f"\n{gone} does not answer any more; the rest is stopped. Its log lies in {place}/.")
        return 1
    finally:
        obeying.cancel()
    say("Everything is stopped." if status == 0 else "")
    return status


if __name__ == "__main__":
    sys.exit(main())
