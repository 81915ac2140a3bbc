"""Many at the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from django.db import connection

T = TypeVar("T")


def together(call: Callable[[], T], *, times: int, threads: int) -> list[T]:
    """Call `times` times from `threads` threads that start at one moment, each on a database connection of its own."""
    start = Barrier(threads)

    def run(number: int) -> list[T]:
        start.wait(timeout=30)
        try:
            return [call() for _ in range(number)]
        finally:
            connection.close()

    shares = [times // threads + (each < times % threads) for each in range(threads)]
    with ThreadPoolExecutor(threads) as pool:
        return [answer for answers in pool.map(run, shares) for answer in answers]
