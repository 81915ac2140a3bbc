"""People who ask for seats at a steady rate, whatever becomes of those before them."""

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import httpx

from tests.operations.installation import NO_TLS, Installation

RATE = 20  # requests a second
LONGEST = 30.0  # seconds for one answer


@dataclass(frozen=True)
class Answer:
    """What one request led to: a status, or the name of the failure."""

    guest: int
    at: float  # by time.monotonic
    status: int | str
    retry_after: str | None = None


def register(api: str, event: int, token: str) -> httpx.Response:
    """One request on a connection of its own."""
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.post(f"{api}/events/{event}/register/", headers=headers, timeout=LONGEST, verify=NO_TLS)


class Crowd:
    """Within `with`, guests ask again and again; afterwards every one of them was answered or given up."""

    def __init__(self, installation: Installation, *, guests: int) -> None:
        self.api = installation.api
        self.event, self.tokens = installation.seed(guests=guests, capacity=guests)
        self.answers: list[Answer] = []
        self.ended = threading.Event()
        self.pool = ThreadPoolExecutor(64)
        self.asking = threading.Thread(target=self.keep_asking, daemon=True)

    def __enter__(self) -> Self:
        self.asking.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ended.set()
        self.asking.join(timeout=LONGEST)
        self.pool.shutdown()

    def keep_asking(self) -> None:
        for guest in itertools.cycle(range(len(self.tokens))):
            if self.ended.wait(1 / RATE):
                return
            self.pool.submit(self.ask, guest)

    def ask(self, guest: int) -> None:
        try:
            answer = register(self.api, self.event, self.tokens[guest])
        except httpx.TransportError as error:
            self.answers.append(Answer(guest, time.monotonic(), type(error).__name__))
        else:
            retry = answer.headers.get("Retry-After")
            self.answers.append(Answer(guest, time.monotonic(), answer.status_code, retry))

    def since(self, moment: float, *statuses: int | str) -> list[Answer]:
        """The answers after `moment` that are one of these."""
        return [answer for answer in list(self.answers) if answer.at > moment and answer.status in statuses]

    @property
    def statuses(self) -> set[int | str]:
        return {answer.status for answer in self.answers}

    @property
    def confirmed(self) -> int:
        """How many seats were promised."""
        return sum(answer.status == 201 for answer in self.answers)
