"""The crowd: one process that sends prepared requests over a number of connections and notes what came when.

Raw sockets on asyncio, because it shares the machine with what it measures: some 30 µs for each request.
"""

import asyncio
import pickle
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

#: Seconds between two connections, all of which are open before the first request. Of many that come at once a single
#: worker of uvicorn takes most, and the others have nothing to do.
APART = 0.005


@dataclass(frozen=True)
class Answer:
    """Times are seconds on the monotonic clock; status 0 is a connection that broke before the answer."""

    sent: float
    came: float
    status: int


@dataclass
class Crowd:
    requests: Iterator[bytes]
    port: int
    answers: list[Answer] = field(default_factory=list)
    early: list["Visitor"] | None = field(default_factory=list)  # who waits for the doors to open; None once they did

    def open_doors(self) -> None:
        early, self.early = self.early or [], None
        for visitor in early:
            visitor.ask()


class Visitor(asyncio.Protocol):
    """One connection: sends the next request as soon as the last one is answered."""

    def __init__(self, crowd: Crowd, done: asyncio.Future[None]) -> None:
        self.crowd, self.done = crowd, done
        self.buffer = b""
        self.sent = 0.0
        self.waits = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        if self.crowd.early is None:
            self.ask()
        else:
            self.crowd.early.append(self)

    def ask(self) -> None:
        request = next(self.crowd.requests, None)
        if request is None:
            self.transport.close()
            return
        self.buffer, self.waits, self.sent = b"", True, time.monotonic()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, body = self.buffer.partition(b"\r\n\r\n")
        if not found or not self.waits or len(body) < length_of(head):
            return
        self.note(int(self.buffer[9:12]))
        if b"connection: close" in head.lower():
            self.transport.close()
        else:
            self.ask()

    def note(self, status: int) -> None:
        self.waits = False
        self.crowd.answers.append(Answer(self.sent, time.monotonic(), status))

    def connection_lost(self, error: Exception | None) -> None:
        if self.waits:
            self.note(0)
        if not self.done.done():
            self.done.set_result(None)


def length_of(head: bytes) -> int:
    lowered = head.lower()
    start = lowered.index(b"content-length:") + 15
    return int(lowered[start : lowered.find(b"\r\n", start) % (len(lowered) + 1)])


async def visit(crowd: Crowd, total: int) -> None:
    """Keep one place in the crowd: where the server closes the connection after each answer, open the next."""
    loop = asyncio.get_running_loop()
    while len(crowd.answers) < total:
        done: asyncio.Future[None] = loop.create_future()
        transport, _ = await loop.create_connection(lambda done=done: Visitor(crowd, done), "127.0.0.1", crowd.port)  # type: ignore[misc]
        await done
        transport.close()
        if crowd.requests.__length_hint__() == 0:  # type: ignore[attr-defined]
            return


def run(port: int, connections: int, requests: list[bytes], patience: float) -> list[Answer]:
    """Send everything as fast as `connections` allow; after `patience` seconds, return what has come until then."""
    crowd = Crowd(iter(requests), port)

    async def everybody() -> None:
        async with asyncio.timeout(patience), asyncio.TaskGroup() as visits:
            for _ in range(connections):
                visits.create_task(visit(crowd, len(requests)))
                await asyncio.sleep(APART)
            crowd.open_doors()

    with suppress(TimeoutError):
        asyncio.run(everybody())
    return crowd.answers[:]


def main() -> None:
    """Read a job from the standard input, write the answers to the standard output; both are ours alone (pickle)."""
    job = pickle.load(sys.stdin.buffer)  # noqa: S301
    pickle.dump(run(*job), sys.stdout.buffer)


if __name__ == "__main__":
    sys.modules["benchmarks.rush.load"] = sys.modules["__main__"]  # what is pickled here is read under that name
    Answer.__module__ = "benchmarks.rush.load"
    main()
