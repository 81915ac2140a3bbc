"""Buckets in a dictionary of this process: each process grants the quota, which protects the machine, not the sum."""

import threading

from jointoit.api.throttling.rates import BucketRequest


class ProcessBuckets:
    LARGEST = 50_000  # buckets; then those that are full again go, and if that is not half of them, all

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.states: dict[str, tuple[int, int]] = {}

    def take(self, wanted: BucketRequest, now: int) -> tuple[bool, int, int]:
        """Whether it may pass, the bucket's TAT then, and its clock."""
        with self.lock:
            tat, seen = self.states.get(wanted.key, (0, 0))
            now = max(now, seen)
            tat = max(now, tat)
            allowed = tat + wanted.rate.interval - now <= wanted.rate.burst
            if allowed:
                tat += wanted.rate.interval
                self.make_room(now)
                self.states[wanted.key] = tat, now
        return allowed, tat, now

    def give_back(self, wanted: BucketRequest) -> None:
        with self.lock:
            if wanted.key in self.states:
                tat, seen = self.states[wanted.key]
                self.states[wanted.key] = tat - wanted.rate.interval, seen

    def make_room(self, now: int) -> None:
        if len(self.states) >= self.LARGEST:
            self.states = {key: state for key, state in self.states.items() if state[0] > now}
            if len(self.states) > self.LARGEST // 2:
                self.states.clear()
