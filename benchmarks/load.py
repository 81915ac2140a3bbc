"""A small HTTP/1.1 load generator: so many connections, each with one request in flight, for so many seconds."""

import asyncio
import time
from dataclasses import dataclass, field
from statistics import quantiles


@dataclass
class Measured:
    """What came back; times in seconds."""

    seconds: float
    times: list[float] = field(default_factory=list)
    failures: int = 0

    @property
    def per_second(self) -> float:
        return len(self.times) / self.seconds

    def percentile(self, percent: int) -> float:
        return quantiles(self.times, n=100)[percent - 1] if len(self.times) > 1 else float("nan")


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> tuple[bool, bool]:
    """Send one GET and read the whole answer: whether it was 200, and whether the connection stays open."""
    writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode("latin-1").lower().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
    await reader.readexactly(int(headers["content-length"]))
    return lines[0].split()[1] == "200", headers.get("connection") != "close"


async def client(port: int, path: str, until: float, measured: Measured) -> None:
    streams = None
    while time.perf_counter() < until:
        started = time.perf_counter()
        try:
            reader, writer = streams or await asyncio.open_connection("127.0.0.1", port)
            good, stays = await ask(reader, writer, path)
        except (OSError, asyncio.IncompleteReadError):
            measured.failures, streams = measured.failures + 1, None
            continue
        streams = (reader, writer) if stays else None
        if not stays:
            writer.close()
        measured.times.append(time.perf_counter() - started)
        measured.failures += not good
    if streams:
        streams[1].close()


async def load(port: int, path: str, *, seconds: float, connections: int) -> Measured:
    """Ask for `path` until `seconds` are over; what is in flight then is waited for."""
    started = time.perf_counter()
    measured = Measured(seconds)
    await asyncio.gather(*(client(port, path, started + seconds, measured) for _ in range(connections)))
    measured.seconds = time.perf_counter() - started
    return measured


def run(port: int, path: str, *, seconds: float, connections: int) -> Measured:
    return asyncio.run(load(port, path, seconds=seconds, connections=connections))
