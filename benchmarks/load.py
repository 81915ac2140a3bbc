"""A small HTTP/1.1 load generator: so many connections, each with one request in flight, for so many seconds."""

import asyncio
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from math import inf
from statistics import quantiles

import orjson


@dataclass
class Measured:
    """What came back; times in seconds."""

    seconds: float = 0.0
    times: list[float] = field(default_factory=list)
    failures: int = 0

    @property
    def per_second(self) -> float:
        return len(self.times) / self.seconds

    def percentile(self, percent: int) -> float:
        return quantiles(self.times, n=100)[percent - 1] if len(self.times) > 1 else float("nan")


def request(path: str, *, method: str = "GET", token: str = "", body: object = None) -> bytes:
    """A whole request, ready to be sent; `token` is whose it is, `body` becomes JSON."""
    content = b"" if body is None else orjson.dumps(body)
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Accept: application/json"]
    lines += [f"Authorization: Bearer {token}"] * bool(token)
    if method != "GET":
        lines += [f"Content-Length: {len(content)}"] + ["Content-Type: application/json"] * bool(content)
    return "\r\n".join([*lines, "", ""]).encode() + content


class Connection:
    """Kept as long as the server keeps it, then opened anew."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes) -> int:
        """Send it, read the whole answer, return its status. Raises OSError, EOFError where the connection breaks."""
        reader, writer = self.streams = self.streams or await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        lines = head.split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
        await reader.readexactly(int(headers["content-length"]))
        if headers.get("connection") == "close":
            self.close()
        return int(lines[0].split()[1])

    def close(self) -> None:
        if self.streams:
            self.streams[1].close()
        self.streams = None


async def client(connection: Connection, requests: Iterator[bytes], until: float, measured: Measured) -> None:
    while (started := time.perf_counter()) < until and (request := next(requests, None)):
        try:
            status = await connection.ask(request)
        except (OSError, EOFError):
            measured.failures += 1
            connection.close()
            continue
        measured.times.append(time.perf_counter() - started)
        measured.failures += status // 100 != 2
    connection.close()


async def load(port: int, requests: Iterable[bytes], *, seconds: float, connections: int) -> Measured:
    """Send `requests` until `seconds` are over or none is left; what is in flight then is waited for.

    Several connections are opened one after the other, each with a request about nothing: of many at once a single
    worker of uvicorn takes most, and the others have nothing to do.
    """
    crowd = [Connection(port) for _ in range(connections)]
    for connection in crowd if connections > 1 else ():
        await connection.ask(request("/nothing"))
    measured, waiting, started = Measured(), iter(requests), time.perf_counter()
    await asyncio.gather(*(client(connection, waiting, started + seconds, measured) for connection in crowd))
    measured.seconds = time.perf_counter() - started
    return measured


def run(port: int, requests: Iterable[bytes], *, seconds: float = inf, connections: int = 1) -> Measured:
    return asyncio.run(load(port, requests, seconds=seconds, connections=connections))
