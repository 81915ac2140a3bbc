"""Sends what is due: one thread speaks to the database, the others to the receivers, each to one at a time.

Nothing is locked and no transaction is open while a receiver is spoken to. A message goes out twice where a sender
dies between an answer and its being settled, both times under the same `webhook-id`.

A receiver that hangs holds one thread for one attempt, is then left alone for a while, and asked by one message whether
it serves again: the others find their threads free. Threads that ask such receivers are at most half of all.
"""

import queue
import time
from collections import defaultdict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import structlog
from django.conf import settings
from django.db import Error, close_old_connections, connections

from jointoit.mail import send_control
from jointoit.process.periodic import StopAsked, never
from jointoit.webhooks import claims, health, signing
from jointoit.webhooks.claims import Claimed, Ready, became
from jointoit.webhooks.fan_out import fan_out
from jointoit.webhooks.metrics import attempts
from jointoit.webhooks.models import Message
from jointoit.webhooks.policy import retry_after
from jointoit.webhooks.sending import Outcome, Sender, Verdict

log = structlog.get_logger(__name__)
State = Message.State
Clock = Callable[[], datetime]

THREADS: Final[int] = settings.WEBHOOK_THREADS
#: Threads that speak to one receiver at once, once it has taken a message. Of one that answers at once, more than two
#: only get into each other's way: one posts while the other's answers are written down.
LANES: Final = 4
BRISK_LANES: Final = 2
MOST: Final = 256  # messages in one batch
#: Seconds. Rights are looked at when a message is claimed; one that is older is put back, and looked at again.
FRESH: Final = 1.0
#: A batch that takes no longer is followed by one of twice the size.
BRISK: Final = 0.1
IDLE: Final = 0.5  # seconds between two looks while there is nothing to do
GATHER: Final = 0.02  # seconds in which answers are gathered to be settled together
LOOK_AT_HOLD: Final = 2.0
LAST_SUCCESS_EVERY: Final = 10.0
KEEP_SENDER: Final = 30.0


@dataclass
class Batch:
    webhook_id: int
    messages: deque[Claimed]
    sender: Sender
    claimed_at: float
    is_probe: bool


@dataclass
class Receiver:
    """What this process knows of one: lanes in use, how much it takes at once, and connections that are free."""

    lanes: int = 0
    most_lanes: int = 1
    size: int = 1
    url: str = ""
    senders: list[Sender] = field(default_factory=list)
    used_at: float = 0.0
    noted_at: float = 0.0


@dataclass(frozen=True)
class Result:
    """Of a batch: what came of each message that was tried, and those that were not."""

    batch: Batch
    tried: list[tuple[Claimed, Outcome]]
    seconds: float


class Dispatcher:
    def __init__(self, *, clock: Clock, stop: StopAsked = never, threads: int = THREADS) -> None:
        self.clock, self.stop, self.threads = clock, stop, threads
        self.pool = ThreadPoolExecutor(threads, thread_name_prefix="webhooks")
        self.results: queue.SimpleQueue[Result] = queue.SimpleQueue()
        self.receivers: dict[int, Receiver] = defaultdict(Receiver)
        self.in_flight = self.probes = 0
        self.held_until_look = 0.0
        self.is_held = False

    # ── The thread that speaks to the database ──

    def run(self) -> None:
        """Until `stop` says so; what is in hand is finished, what is not tried is put back."""
        while not self.stop():
            try:
                close_old_connections()
                busy = self.turn()
                self.settle(self.gather(IDLE if not busy else GATHER))
            except Error as error:  # a restart of the database: leases end by themselves
                log.warning(
                    "webhooks_database_away",
                    error=f"{type(error).__name__}: {error}",
                    hint="Look at the database; this goes on by itself.",
                )
                connections.close_all()
                time.sleep(IDLE)
        self.finish()

    def finish(self) -> None:
        while self.in_flight:
            self.settle(self.gather(IDLE))
        self.pool.shutdown()
        for receiver in self.receivers.values():
            self.hang_up(receiver)

    def drain(self) -> None:
        """Until nothing is due or in flight."""
        while self.turn() or self.in_flight:
            self.settle(self.gather(IDLE))

    def turn(self) -> bool:
        """Make messages of facts, hand out what is due; whether there was any."""
        if self.is_on_hold():
            return False
        facts = fan_out()
        return bool(self.hand_out() or facts)

    def is_on_hold(self) -> bool:
        """An operator, or a restore, holds webhooks with the mail."""
        if time.monotonic() >= self.held_until_look:
            self.is_held = send_control.current(now=self.clock()).held_at is not None
            self.held_until_look = time.monotonic() + LOOK_AT_HOLD
        return self.is_held

    def hand_out(self) -> int:
        now, free = self.clock(), self.threads - self.in_flight
        if free <= 0 or self.stop():
            return 0
        full = [pk for pk, receiver in self.receivers.items() if receiver.lanes >= receiver.most_lanes]
        found = claims.ready(busy=full, now=now)
        failing = [each.id for each in found if each.is_failing][: max(0, self.threads // 2 - self.probes)]
        probing = claims.probe(failing[:free], now=now)
        well = sorted((each for each in found if not each.is_failing), key=lambda each: self.receivers[each.id].lanes)
        well = well[: free - len(probing)]
        chosen = [each for each in found if each.id in probing] + well
        most = {each.id: 1 if each.is_failing else self.receivers[each.id].size for each in chosen}
        messages: dict[int, deque[Claimed]] = defaultdict(deque)
        for message in claims.claim(most, now=now):
            messages[message.webhook_id].append(message)
        for each in chosen:
            if messages[each.id]:
                self.start(each, messages[each.id])
        return len(messages)

    def start(self, ready: Ready, messages: deque[Claimed]) -> None:
        receiver = self.receivers[ready.id]
        if receiver.url != ready.url:
            self.hang_up(receiver)
            receiver.url = ready.url
        sender = receiver.senders.pop() if receiver.senders else Sender(ready.url)
        batch = Batch(ready.id, messages, sender, time.monotonic(), ready.is_failing)
        receiver.lanes += 1
        receiver.used_at = time.monotonic()
        self.in_flight += 1
        self.probes += batch.is_probe
        self.pool.submit(self.serve, batch)

    def gather(self, wait: float) -> list[Result]:
        """Results of batches, as they come within a moment of the first."""
        try:
            found = [self.results.get(timeout=wait)]
        except queue.Empty:
            self.forget_idle()
            return []
        while not self.results.empty():
            found.append(self.results.get())
        return found

    def settle(self, results: list[Result]) -> None:
        now = self.clock()
        lines = []
        for result in results:
            self.free(result)
            lines += [self.line_of(message, outcome, now) for message, outcome in result.tried]
            lines += [became(message, State.PENDING) for message in result.batch.messages]
        claims.settle(lines, now=now)
        told: dict[int, list[Outcome]] = defaultdict(list)
        for result in results:
            told[result.batch.webhook_id] += [outcome for _, outcome in result.tried]
        probed = {result.batch.webhook_id for result in results if result.batch.is_probe}
        for webhook_id, outcomes in told.items():
            self.note(webhook_id, outcomes, now, news=webhook_id in probed)

    def free(self, result: Result) -> None:
        batch, receiver = result.batch, self.receivers[result.batch.webhook_id]
        receiver.lanes -= 1
        self.in_flight -= 1
        self.probes -= batch.is_probe
        if batch.sender.url == receiver.url:
            receiver.senders.append(batch.sender)
        else:
            batch.sender.close()
        well = all(outcome.verdict is Verdict.SENT for _, outcome in result.tried)
        receiver.most_lanes = 1 if not well else LANES if result.seconds > BRISK else BRISK_LANES
        if result.seconds > BRISK or batch.messages:
            receiver.size = max(1, receiver.size // 2)
        elif len(result.tried) >= receiver.size:
            receiver.size = min(MOST, receiver.size * 2)

    def line_of(self, message: Claimed, outcome: Outcome, now: datetime) -> dict[str, Any]:
        attempts.labels(outcome.verdict.value).inc()
        told: dict[str, Any] = {
            "tried": True,
            "status": outcome.status,
            "milliseconds": outcome.milliseconds,
            "answer": outcome.answer,
        }
        if outcome.verdict is Verdict.SENT:
            return became(message, State.SENT, **told)
        again = now + max(outcome.retry_after or retry_after(message.attempt + 1), retry_after(1) / 10)
        if outcome.verdict is Verdict.GONE or again >= message.give_up_at:
            return became(message, State.FAILED, **told)
        return became(message, State.PENDING, not_before=again, **told)

    def note(self, webhook_id: int, outcomes: list[Outcome], now: datetime, *, news: bool) -> None:
        """A receiver that goes on being well is not written each time."""
        receiver = self.receivers[webhook_id]
        well = all(outcome.verdict is Verdict.SENT for outcome in outcomes)
        if not outcomes or (well and not news and time.monotonic() < receiver.noted_at + LAST_SUCCESS_EVERY):
            return
        receiver.noted_at = time.monotonic() if well else 0.0
        health.note(webhook_id, outcomes, now=now)

    def forget_idle(self) -> None:
        for pk, receiver in list(self.receivers.items()):
            if not receiver.lanes and receiver.used_at < time.monotonic() - KEEP_SENDER:
                self.hang_up(self.receivers.pop(pk))

    @staticmethod
    def hang_up(receiver: Receiver) -> None:
        while receiver.senders:
            receiver.senders.pop().close()

    # ── The threads that speak to receivers ──

    def serve(self, batch: Batch) -> None:
        """Send one batch, as long as its claims are fresh and the receiver takes them."""
        began, tried = time.monotonic(), []
        try:
            while batch.messages and not self.stop() and time.monotonic() < batch.claimed_at + FRESH:
                message = batch.messages.popleft()
                outcome = post(batch.sender, message, now=self.clock())
                tried.append((message, outcome))
                if outcome.verdict is not Verdict.SENT:
                    break
        except Exception:
            log.exception(
                "webhook_cannot_be_sent",
                webhook=batch.webhook_id,
                hint="A fault of the service: report the traceback. The message is tried again.",
            )  # its lease ends
        self.results.put(Result(batch, tried, time.monotonic() - began))


def post(sender: Sender, message: Claimed, *, now: datetime) -> Outcome:
    headers = signing.headers(message.name, message.body, seeds=message.seeds, timestamp=int(now.timestamp()))
    return sender.post(message.body, headers)


def run(stop: StopAsked, *, clock: Clock) -> None:
    Dispatcher(clock=clock, stop=stop).run()
