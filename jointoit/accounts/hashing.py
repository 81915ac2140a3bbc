"""How passwords are hashed, and how many at a time: a hash is as much work as a hundred requests.

Two are hashed at once in each process, one more waits a second, whoever comes then is told at once to come again,
whether there is such an account or not. A hash by older and larger rules takes both places.
Two threads of their own do the work: a thread keeps the memory of its largest hash, and a process has many threads.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from django.contrib.auth import hashers

from jointoit.errors import Unavailable

PLACES: Final = 2
WAITING: Final = 1
PATIENCE: Final = 1.0  # seconds
Result = TypeVar("Result")


class HashingBusy(Unavailable):
    code = "busy"
    message = "Too many people are signing in at this moment; try again in a second."


class HashingLine:
    def __init__(self, *, patience: float = PATIENCE) -> None:
        self.changed = threading.Condition()
        self.free, self.waiting, self.patience = PLACES, 0, patience
        self.threads = ThreadPoolExecutor(PLACES, thread_name_prefix="hashing")

    def run(self, work: Callable[..., Result], *values: Any, places: int = 1) -> Result:
        """What `work` returns, in its turn. Raises HashingBusy, and what `work` raises."""
        with self.place(places):
            return self.threads.submit(work, *values).result()

    @contextmanager
    def place(self, places: int) -> Iterator[None]:
        with self.changed:
            if self.free < places or self.waiting:
                self.wait(places)
            self.free -= places
        try:
            yield
        finally:
            with self.changed:
                self.free += places
                self.changed.notify()

    def wait(self, places: int) -> None:
        if self.waiting >= WAITING:
            raise HashingBusy
        self.waiting += 1
        try:
            if not self.changed.wait_for(lambda: self.free >= places, timeout=self.patience):
                raise HashingBusy
        finally:
            self.waiting -= 1


line: Final = HashingLine()


class Argon2PasswordHasher(hashers.Argon2PasswordHasher):
    """Argon2id with the parameters of OWASP's cheat sheet on password storage: 19 MiB, two passes, one lane."""

    memory_cost = 19 * 1024  # KiB
    time_cost = 2
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        return line.run(super().encode, password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        is_large = self.decode(encoded)["memory_cost"] > self.memory_cost
        return line.run(super().verify, password, encoded, places=PLACES if is_large else 1)


class PBKDF2PasswordHasher(hashers.PBKDF2PasswordHasher):
    """For hashes that were brought along from elsewhere; renewed at the next log-in."""

    def verify(self, password: str, encoded: str) -> bool:
        return line.run(super().verify, password, encoded)
