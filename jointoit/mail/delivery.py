"""One attempt after another: claim, write, hand to the mail server, settle. When to try again is `policy`'s to say.

Nothing is locked and no transaction is open while the mail server is spoken to. The only moment at which a mail can go
out twice is between the server's 250 and our settling it; both copies then have one Message-ID.
"""

import time
from datetime import datetime, timedelta
from typing import Any, Self

import structlog
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import InterfaceError, OperationalError

from jointoit.mail import claims, lines, rendering, send_control
from jointoit.mail.metrics import attempts
from jointoit.mail.models import OutboxMail
from jointoit.mail.policy import (
    FIRST_RETRY,
    STOP_SENDING,
    WRITING_TRIES,
    Answer,
    Verdict,
    classify,
    retry_after,
    summary_of,
)
from jointoit.process import database_clock
from jointoit.process.database_clock import Clock
from jointoit.process.periodic import StopAsked, never

log = structlog.get_logger(__name__)
State = OutboxMail.State
BATCH = 20
#: A turn ends after this, so that a task stays below its time limit and a sweeper gets to its other jobs.
TURN = timedelta(seconds=10)
#: Mail servers tend to close a connection after some hundred mails.
MAILS_PER_CONNECTION = 100
#: So many mails in a row that lose a fresh connection speak against the server, not against the mails.
MOST_DROPS = 3
#: What says that the mail server is well, even when it does not want this mail.
WELL = {Verdict.SENT, Verdict.LATER, Verdict.NEVER}


def deliver_due(*, clock: Clock | None = None, stop: StopAsked = never) -> bool:
    """Send what is due, most urgent first, until nothing is, or the turn is over; say whether more may wait.

    Safe to run many times side by side, on machines whose clocks disagree: the database's says what is due and how
    long a lease lasts. Asks `stop` between two mails.
    """
    clock = clock or database_clock.start()
    ends = clock() + TURN
    with Sender(clock=clock, stop=stop) as sender:
        while not stop():
            now = clock()
            if now >= ends:
                return True
            permit = send_control.permit(batch=BATCH, now=now)
            mails = claims.claim(limit=permit.mails, now=now) if permit.mails else []
            if not mails or not sender.send_batch(mails, is_probe=permit.is_probe, until=min(ends, now + STOP_SENDING)):
                return False
    return False


def retire(now: datetime) -> None:
    """Give up what came too late; never while mail is held, for then an operator decides."""
    lines.line_up(now=now)
    switch = send_control.current(now=now)
    if switch.held_at is None:
        claims.retire(now=now, untried=switch.down_answer or "It was never its turn.")


class Sender:
    """One sender with at most one connection to the mail server, which it keeps from mail to mail."""

    def __init__(self, *, clock: Clock, stop: StopAsked) -> None:
        self.clock = clock
        self.stop = stop
        self.connection: BaseEmailBackend | None = None
        self.sent = 0  # by this connection
        self.consecutive_drops = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.hang_up()

    def send_batch(self, mails: list[OutboxMail], *, is_probe: bool, until: datetime) -> bool:
        """Send one claimed batch, or put back what cannot be sent now; False where to go on makes no sense."""
        while mails and not self.stop() and self.clock() < until:
            if not self.wait_for_turn():
                claims.put_back(mails)
                return False
            verdict = self.deliver(mails.pop(0))
            if verdict is Verdict.SERVER_DOWN:
                claims.put_back(mails)
                return False
            if is_probe and verdict in WELL:
                send_control.recover()
        claims.put_back(mails)
        return True

    def wait_for_turn(self) -> bool:
        slot = send_control.turn(now=self.clock())
        if slot is not None:
            time.sleep(max(0.0, (slot - self.clock()).total_seconds()))
        return slot is not None

    # ── One mail ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def deliver(self, mail: OutboxMail) -> Verdict | None:
        """Try one mail and write down what came of it; None where the mail server was not asked."""
        now = self.clock()
        if mail.expires_at and mail.expires_at <= now:
            claims.settle(mail, state=State.EXPIRED, settled_at=now)
            return None
        try:
            answer = self.hand_over(mail, rendering.compose(mail, now=now))
        except claims.ClaimLost:
            log.warning(
                "mail_claim_lost",
                mail=mail.pk,
                hint="Nothing to do, if seldom. Often: the mail server is slower than the lease.",
            )
            return None
        except (OperationalError, InterfaceError):  # the database is away, of which no mail is to blame: its lease ends
            self.hang_up()
            raise
        except Exception as error:  # noqa: BLE001  whatever is wrong with it, the others must go out
            self.hang_up()
            self.render_failed(mail, error)
            return None
        return self.settle(mail, answer)

    def settle(self, mail: OutboxMail, answer: Answer) -> Verdict:
        now = self.clock()
        tried = {"attempt": mail.attempt + 1, "last_answer": answer.text}
        attempts.labels(answer.verdict.name.lower()).inc()
        match self.with_drops(answer.verdict):
            case Verdict.SENT as verdict:
                claims.settle(mail, state=State.SENT, settled_at=now, **tried)
            case Verdict.NEVER as verdict:
                claims.settle(mail, state=State.DEAD, settled_at=now, **tried)
            case Verdict.SERVER_DOWN as verdict:
                send_control.trip(answer=answer.text, now=now)
                claims.settle(mail, not_before=now, last_answer=answer.text)
            case verdict:
                self.postpone(mail, tried)
        return verdict

    def postpone(self, mail: OutboxMail, tried: dict[str, Any]) -> None:
        now = self.clock()
        again = now + retry_after(mail.attempt + 1)
        if again < mail.give_up_at:
            claims.settle(mail, not_before=again, **tried)
        else:
            claims.settle(mail, state=State.DEAD, settled_at=now, **tried)

    def with_drops(self, verdict: Verdict) -> Verdict:
        """A lost connection is held against the mail, until several in a row are held against the server."""
        self.consecutive_drops = self.consecutive_drops + 1 if verdict is Verdict.DROPPED else 0
        return Verdict.SERVER_DOWN if self.consecutive_drops >= MOST_DROPS else verdict

    def render_failed(self, mail: OutboxMail, error: Exception) -> None:
        log.error(
            "mail_cannot_be_written",
            mail=mail.pk,
            exc_info=error,
            hint="A fault of the service: report the traceback. The admin shows the mail, and sends it again.",
        )
        now, failures = self.clock(), mail.failures + 1
        last = {"state": State.DEAD, "settled_at": now} if failures >= WRITING_TRIES else {}
        again = now + FIRST_RETRY * 2**mail.failures
        claims.settle(mail, failures=failures, last_answer=summary_of(error), not_before=again, **last)

    # ── The mail server ───────────────────────────────────────────────────────────────────────────────────────────────

    def hand_over(self, mail: OutboxMail, email: EmailMultiAlternatives) -> Answer:
        """Give the mail to the server. A connection that served before and now is lost gets one fresh successor."""
        used = self.connection is not None
        answer = self.attempt(mail, email)
        return self.attempt(mail, email) if used and answer.connection_lost else answer

    def attempt(self, mail: OutboxMail, email: EmailMultiAlternatives) -> Answer:
        try:
            connection = self.call()
        except Exception as error:  # noqa: BLE001  no mail is to blame for what keeps us from the server
            self.hang_up()
            return Answer(Verdict.SERVER_DOWN, summary_of(error))
        claims.keep(mail, now=self.clock())
        try:
            connection.send_messages([email])
        except OSError as error:
            answer = classify(error)
            if answer.verdict not in WELL:
                self.hang_up()
            return answer
        self.sent += 1
        return Answer(Verdict.SENT, "accepted")

    def call(self) -> BaseEmailBackend:
        if self.sent >= MAILS_PER_CONNECTION:
            self.hang_up()
        if self.connection is None:
            self.connection = get_connection()
            self.connection.open()
        return self.connection

    def hang_up(self) -> None:
        connection, self.connection, self.sent = self.connection, None, 0
        if connection is None:
            return
        try:
            connection.close()
        except Exception as error:  # noqa: BLE001  the mails are settled; how the server says goodbye is its affair
            log.info("mail_goodbye_failed", error=summary_of(error))
