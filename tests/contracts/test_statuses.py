"""The document is true: every answer that it names for an operation is really given, with its code, and no other.

The walk asks for each media type of what is good by `Accept`, and holds each answer to the headers that are named, to
JSON without blanks, and each problem to the example on the page about it.
"""

import json
import os
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from jointoit.api.http import idempotency
from jointoit.api.problems.catalogue import variant
from tests.conformance import document, mismatch, pointed
from tests.contracts import (
    checkin_provocations,
    organizing_provocations,
    program_provocations,
    provocations,
    team_provocations,
)
from tests.contracts.scene import Call, Given, Scene
from tests.live import UNLIMITED, Live, serve

pytestmark = pytest.mark.xdist_group("statuses")
PLACES = (
    provocations, team_provocations, organizing_provocations, checkin_provocations, program_provocations,
)  # fmt: skip
GOOD = {operation: call for place in PLACES for operation, call in place.GOOD.items()}
OWN: dict[str, dict[str, Given]] = {}
for place in PLACES:
    for operation, calls in place.OWN.items():
        OWN[operation] = OWN.get(operation, {}) | calls
OPERATIONS = {
    f"{method.upper()} {path}": said for path, item in document()["paths"].items() for method, said in item.items()
}
PROBLEM = "application/problem+json"
#: Answers of a service that is in need; they have tests of their own below.
IN_NEED = {"429 throttled", "503 busy", "503 database_unavailable", "503 feed_renewed"}
#: Headers that clients look for: named where they are sent, and only there.
TOLD = {"Location", "ETag", "Content-Location", "Content-Disposition", "WWW-Authenticate", "Retry-After"}
#: Those that some answers of the status have: by the media type, or by the code.
AT_TIMES = {"Content-Disposition", "Retry-After"}
#: Problems whose `detail` tells more than the sentence of the example.
SAID_IN_MANY_WAYS = {
    "address_not_allowed", "already_registered", "impossible_step", "no_ticket", "not_acceptable",
    "not_yours_to_decide", "permission_denied", "throttled", "weak_password",
}  # fmt: skip
NOWHERE = str(2**62)
#: Calls to a database that is busy or away, each of which waits for two seconds.
AT_ONCE = 12
IDS = {
    "code": "busy",
    **dict.fromkeys(("family", "scan"), "3f0f9d0e-8b0c-4f0e-9d5e-2a1d6f6f7a10"),
    "message": f"msg_{0:032x}",
}


def documented(operation: str) -> set[str]:
    """Each answer as its status and the code of the problem or the media type of what it is."""
    found = set()
    for status, response in OPERATIONS[operation]["responses"].items():
        content: dict[str, Any] = pointed(response).get("content", {})
        kinds = [kind for media in content for kind in (content[media]["examples"] if media == PROBLEM else [media])]
        found |= {f"{status} {kind}".strip() for kind in kinds or [""]}
    return found


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Not the one of production, whose pages need their files collected."""
    with (
        serve(tmp_path_factory.mktemp("statuses"), **UNLIMITED, MAX_OPEN_EVENTS="5000", LOG_LEVEL="ERROR") as live,
        Scene.on(live) as scene,
    ):
        yield scene


class Answer:
    """What a client sees, in the shape that the conformance check reads."""

    def __init__(self, operation: str, call: Call, response: httpx.Response) -> None:
        self.status_code, self.content = response.status_code, response.content
        self.media = response.headers.get("Content-Type", "").partition(";")[0]
        self.wrong = (
            mismatch(call.method, call.path.partition("?")[0], self)
            or ("json" in self.media and self.wrong_json())
            or self.wrong_headers(operation, response)
        )

    def wrong_json(self) -> str:
        """Blanks, which cost and say nothing; a problem that is not what the page about it shows."""
        body = json.loads(self.content)
        if self.content != json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode():
            return f"blanks in {self.content!r}"
        if self.media != PROBLEM:
            return ""
        shown = variant(body["code"], self.status_code).example()
        if body.keys() != shown.keys() or body["title"] != shown["title"]:
            return f"{body}, and the example is {shown}"
        return "" if body["code"] in SAID_IN_MANY_WAYS or body["detail"] == shown["detail"] else body["detail"]

    def wrong_headers(self, operation: str, response: httpx.Response) -> str:
        said = pointed(OPERATIONS[operation]["responses"].get(str(self.status_code), {})).get("headers", {})
        sent = {name for name in TOLD if name in response.headers}
        at_times = AT_TIMES | ({"ETag"} if self.media == "text/csv" else set())
        differing = (sent ^ (TOLD & said.keys())) - (at_times & said.keys())
        return f"headers {sorted(differing)}" if differing else ""

    def get(self, name: str, default: str = "") -> str:
        return self.media if name == "Content-Type" else default

    def __str__(self) -> str:
        kind = json.loads(self.content)["code"] if self.media == PROBLEM else self.media
        return f"{self.status_code} {kind}".strip() + (f" ({self.wrong})" if self.wrong else "")


# ── What every operation refuses in the same way, by code ──


def moved(call: Call, scene: Scene) -> Call:
    return call.but(path=re.sub(r"/\d+/", f"/{NOWHERE}/", call.path))


def reused(call: Call, scene: Scene) -> Call:
    keyed = call.but(headers={"Idempotency-Key": f"of-{call.path}"})
    scene.send(keyed)
    return keyed.but(json={**(call.json or {}), "more": 1})


def running(call: Call, scene: Scene) -> Call:
    """Another transaction holds the key, as a request that runs does; it ends with the connection."""
    assert call.who
    key = idempotency.digest([call.who.id, call.method, call.path, "held"], size=16).hex()
    scene.hold("INSERT INTO api_idempotencykey (scope, caller, fingerprint) VALUES (%s, 0, '')", key)
    return call.but(headers={"Idempotency-Key": "held"})


def plain(call: Call, **changes: Any) -> Call:
    return call.but(path=call.path.partition("?")[0], **changes)


ALIKE: dict[str, Callable[[Call, Scene], Call]] = {
    "304": lambda call, scene: call.but(headers={"If-None-Match": "*"}),
    "invalid_url": lambda call, scene: plain(call, query="x=%00"),
    "too_many_parameters": lambda call, scene: plain(call, query="&".join(f"p{n}=1" for n in range(1500))),
    "invalid_json": lambda call, scene: call.but(json=None, content=b"{", headers={"Content-Type": "application/json"}),
    "not_authenticated": lambda call, scene: call.but(who=None),
    "scope_missing": lambda call, scene: call.but(
        who=None, headers={"Authorization": f"Bearer {scene.useless_key(call.path)}"}
    ),
    "token_not_valid": lambda call, scene: call.but(who=None, headers={"Authorization": "Bearer junk"}),
    "not_found": moved,
    "not_acceptable": lambda call, scene: call.but(headers={"Accept": "application/xml"}),
    "request_in_progress": running,
    "precondition_failed": lambda call, scene: call.but(headers={"If-Match": '"another"'}),
    "length_required": lambda call, scene: call.but(json=None, content=[b"{}"]),
    "body_too_large": lambda call, scene: call.but(json=None, content=b" " * (256 * 1024 + 1)),
    "url_too_long": lambda call, scene: plain(call, query="x=" + "x" * 20_000),
    "unsupported_media_type": lambda call, scene: call.but(
        json=None, content=b"{}", headers={"Content-Type": "text/plain"}
    ),
    "idempotency_key_reused": reused,
}


def provoked(scene: Scene, operation: str, cell: str) -> str:
    """Bring the operation to this answer; what came instead is told."""
    status, _, kind = cell.partition(" ")
    own = OWN.get(operation, {}).get(kind) or OWN.get(operation, {}).get(cell)
    if own:
        call = own(scene)
    else:
        call = GOOD[operation](scene)
        if change := ALIKE.get(kind) or ALIKE.get(status):
            call = change(call, scene)
    if "/" in kind:
        call = call.but(headers={"Accept": kind})
    answer = Answer(operation, call, scene.send(call))
    scene.release()
    if answer.status_code < 300 and call.method != "GET":
        scene.forget()
    return str(answer)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_answer_that_the_document_names_is_given(scene: Scene, operation: str) -> None:
    expected = documented(operation) - IN_NEED

    assert {cell: provoked(scene, operation, cell) for cell in sorted(expected)} == {cell: cell for cell in expected}


def test_nothing_is_provoked_that_the_document_does_not_name() -> None:
    assert GOOD.keys() == OPERATIONS.keys()
    for operation, own in OWN.items():
        cells = documented(operation)
        assert {*own} <= cells | {cell.partition(" ")[2] for cell in cells}, operation


def test_every_operation_is_throttled_that_says_so(tmp_path: Path) -> None:
    limits = UNLIMITED | {"RATE_ANON": "2/day", "RATE_USER": "1/day", "RATE_DOOR": "1/day"}
    with serve(tmp_path, **limits, LOG_LEVEL="ERROR") as live, httpx.Client(base_url=live.url, timeout=30) as client:
        token = live.person("ada")
        client.get("/users/me/", headers=token)
        client.get("/events/1/checkin/", headers=token)
        answers = {}
        for operation, said in OPERATIONS.items():
            method, path = operation.split()
            call = Call(method, re.sub(r"\{(\w+)\}", lambda found: IDS.get(found[1], "1"), path))
            headers = token if {"accessToken": []} in said["security"] else {}
            answers[operation] = str(Answer(operation, call, client.request(method, call.path, headers=headers)))

    refused = {operation for operation, answer in answers.items() if answer == "429 throttled"}
    assert refused == {operation for operation in OPERATIONS if "429 throttled" in documented(operation)}


def answers_of(scene: Scene, calls: dict[str, Call]) -> dict[str, str]:
    with ThreadPoolExecutor(AT_ONCE) as threads:
        answers = threads.map(scene.send, calls.values())
        return {
            operation: str(Answer(operation, calls[operation], each))
            for operation, each in zip(calls, answers, strict=True)
        }


def named(code: str) -> set[str]:
    return {operation for operation in OPERATIONS if f"503 {code}" in documented(operation)}


def test_every_operation_says_when_the_database_is_busy_or_away(tmp_path: Path) -> None:
    threads = {"WEB_THREADS": str(AT_ONCE), "LOG_LEVEL": "ERROR"}
    with serve(tmp_path, **UNLIMITED, **threads) as live, Scene.on(live) as scene:
        calls = {operation: good(scene) for operation, good in GOOD.items()}
        scene.hold_everything()
        busy = answers_of(scene, calls)
        scene.release()
        shut(live)
        away = answers_of(scene, calls)

    assert {operation for operation, answer in busy.items() if answer == "503 busy"} == named("busy")
    gone = {operation for operation, answer in away.items() if answer == "503 database_unavailable"}
    assert gone == named("database_unavailable")


def shut(live: Live) -> None:
    """The database of this service ends its connections and takes no new one."""
    name = conninfo_to_dict(live.environment["DATABASE_URL"])["dbname"]
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(str(name))))
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
