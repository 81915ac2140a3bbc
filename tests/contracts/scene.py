"""A running service with people and events on it, made as they are asked for, and calls to it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import count
from typing import Any, LiteralString, Self

import httpx
import psycopg
from django.test import override_settings
from psycopg import sql

from jointoit.mail import links
from tests.live import PASSWORD, Live

numbers = count(1)
EVENT = {"title": "Launch", "date": "2099-05-17T18:00:00Z", "location": "Berlin"}
BEGUN = "UPDATE events_event SET date = now() - interval '1 hour', ends_at = NULL WHERE id = %s"
OVER = "UPDATE events_event SET date = now() - interval '2 days', ends_at = NULL WHERE id = %s"
HIDDEN = "UPDATE events_event SET status = 'draft', hidden_status = status WHERE id = %s"
CLOSED = "UPDATE events_event SET registration_closes_at = now() - interval '1 hour' WHERE id = %s"


@dataclass(frozen=True)
class Person:
    id: int
    name: str
    token: dict[str, str]

    @property
    def email(self) -> str:
        return f"{self.name}@example.org"


@dataclass(frozen=True)
class Call:
    """One request. `path` holds real ids; the query stands in it."""

    method: str
    path: str
    who: Person | None = None
    json: Any = None
    content: bytes | list[bytes] | None = None  # a list goes in chunks
    headers: dict[str, str] = field(default_factory=dict)

    def but(self, *, query: str = "", headers: dict[str, str] | None = None, **changes: Any) -> "Call":
        path = f"{changes.pop('path', self.path)}{query and f'?{query}'}"
        return replace(self, path=path, headers={**self.headers, **(headers or {})}, **changes)


class Scene:
    def __init__(self, live: Live, client: httpx.Client, database: psycopg.Connection) -> None:
        self.live, self.client, self.database = live, client, database
        self.ada, self.ben, self.cleo = (self.person() for _ in range(3))  # organizer, attendee, stranger
        self.kept: Person | None = None

    @classmethod
    @contextmanager
    def on(cls, live: Live) -> Iterator[Self]:
        """`database` begins a transaction with its first statement, which `release` ends."""
        with (
            httpx.Client(base_url=live.url, timeout=60) as client,
            psycopg.connect(live.environment["DATABASE_URL"]) as database,
        ):
            yield cls(live, client, database)

    def hold(self, statement: LiteralString, *values: object) -> None:
        """Do something, and keep others from seeing or undoing it."""
        self.database.execute(statement, values)

    def hold_everything(self) -> None:
        for (name,) in self.database.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall():
            self.database.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(sql.Identifier(name)))

    def release(self) -> None:
        self.database.rollback()

    def send(self, call: Call) -> httpx.Response:
        headers = {**(call.who.token if call.who else {}), **call.headers}
        body: dict[str, Any] = {"content": call.content} if call.content is not None else {"json": call.json}
        return self.client.request(call.method, call.path, headers=headers, **body)

    def made(self, call: Call) -> Any:
        answer = self.send(call)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def person(self) -> Person:
        name = f"person{next(numbers)}"
        me = self.made(Call("POST", "/users/register/", json={**self.account(name), "password": PASSWORD}))
        return Person(me["id"], name, self.live.log_in(name))

    @property
    def spare(self) -> Person:
        """Somebody whose account may be changed or closed; once it was, `forget` them."""
        self.kept = self.kept or self.person()
        return self.kept

    @cached_property
    def useless_keys(self) -> dict[str, str]:
        """Two keys, of which one at least is not good for a call."""
        made = (Call("POST", "/users/me/keys/", self.ada, json={"name": scope, "scopes": [scope], "password": PASSWORD})
                for scope in ("feed", "webhooks"))  # fmt: skip
        return {call.json["name"]: str(self.made(call)["key"]) for call in made}

    def useless_key(self, path: str) -> str:
        """A key that is not good for a call there."""
        return self.useless_keys["feed" if path.startswith("/webhooks/") else "webhooks"]

    def forget(self) -> None:
        self.kept = None

    @staticmethod
    def account(name: str) -> dict[str, str]:
        return {"username": name, "email": f"{name}@example.org"}

    def event(self, **fields: Any) -> int:
        return int(self.made(Call("POST", "/events/", self.ada, json=EVENT | fields))["id"])

    def registration(self, event: int | None = None, who: Person | None = None, **fields: Any) -> int:
        path = f"/events/{event or self.event(**fields)}/register/"
        return int(self.made(Call("POST", path, who or self.ben))["id"])

    def full(self, **fields: Any) -> int:
        event = self.event(capacity=1, **fields)
        self.registration(event, self.cleo)
        return event

    def cancelled(self) -> int:
        event = self.event()
        self.made(Call("POST", f"/events/{event}/cancel/", self.ada))
        return event

    def turned(self, statement: LiteralString, event: int) -> int:
        """The same event, with time having gone on for it."""
        self.database.execute(statement, [event])
        self.database.commit()
        return event

    def refresh(self) -> str:
        """A refresh token."""
        return str(self.made(Call("POST", "/api/token/", json=self.login()))["refresh"])

    def login(self) -> dict[str, str]:
        return {"username": self.ada.name, "password": PASSWORD}

    def link(self, kind: links.Kind, who: Person, address: str = "") -> str:
        """The token that the mail to this person carries."""
        with self.its_keys():
            return links.mint(kind, user_id=who.id, token_epoch=0, address=address or who.email)

    def its_keys(self) -> Any:
        """Within it, what is signed here is good there."""
        return override_settings(SECRET_KEY=self.live.environment["SECRET_KEY"])

    def not_me(self, who: Person) -> str:
        with self.its_keys():
            return links.mint_not_me(who.email)

    def stop_mail(self) -> str:
        with self.its_keys():
            return links.mint_stop("nobody@example.org", "event:5")

    def unsubscribe(self) -> str:
        with self.its_keys():
            return links.mint_unsubscribe(self.registration())


Given = Callable[[Scene], Call]
