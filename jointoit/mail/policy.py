"""The only retry policy: what an answer of the mail server means, and when a mail is tried again."""

import smtplib
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from jointoit.process.leases import LEASE, SPEED, doubling

#: A batch is put back, and the claim on the mail in hand is renewed, when this much of the lease is used.
STOP_SENDING = LEASE / 4
#: How often one mail is tried while the mail server is ill.
PROBE_EVERY = timedelta(minutes=1) / SPEED
GIVE_UP_AFTER = timedelta(days=5) / SPEED
FIRST_RETRY = timedelta(minutes=1) / SPEED
SLOWEST_RETRY = timedelta(hours=4) / SPEED
HOUR = timedelta(hours=1) / SPEED
#: To one person about one event; what exceeds it waits, and is merged meanwhile.
MAILS_AN_HOUR = 6
#: A mail that cannot be written is tried this often in all: a release in between may have mended it.
WRITING_TRIES = 3


class Verdict(Enum):
    SENT = "sent"
    LATER = "this mail, later"
    NEVER = "this mail, never"
    SERVER_DOWN = "the system is ill"
    DROPPED = "the connection was lost"


@dataclass(frozen=True)
class Answer:
    """`connection_lost`: the server closed this connection, which need not mean more than that it was used enough."""

    verdict: Verdict
    text: str
    connection_lost: bool = False


def retry_after(attempt: int) -> timedelta:
    """How long to wait after the given attempt (1 is the first): 1 minute to 4 hours."""
    return doubling(attempt, first=FIRST_RETRY, longest=SLOWEST_RETRY)


def classify(error: OSError) -> Answer:
    """What a failure while sending means (RFC 5321 section 4.2; every exception of smtplib is an OSError).

    Codes that speak of the session (421, 43x, 454, 53x), and whatever is said before the recipient is named, are
    about us or the server: the system is ill. After RCPT or DATA they are about this mail. RFC 5321 section
    4.5.3.1.10 wants 552 treated as 452.
    """
    match error:
        case smtplib.SMTPRecipientsRefused():
            code, reason = next(iter(error.recipients.values()))
            return said(code, reason, about_mail(code))
        case smtplib.SMTPDataError():
            return said(error.smtp_code, error.smtp_error, about_mail(error.smtp_code))
        case smtplib.SMTPSenderRefused():
            verdict = Verdict.LATER if is_temporary(error.smtp_code) else Verdict.SERVER_DOWN
            return said(error.smtp_code, error.smtp_error, verdict)
        case smtplib.SMTPServerDisconnected() if not isinstance(error.__context__, TimeoutError):
            return Answer(Verdict.DROPPED, summary_of(error), connection_lost=True)
    return Answer(Verdict.SERVER_DOWN, summary_of(error))


def about_mail(code: int) -> Verdict:
    if is_temporary(code):
        return Verdict.LATER
    if 500 <= code < 600 and not 530 <= code < 540:
        return Verdict.NEVER
    return Verdict.SERVER_DOWN


def is_temporary(code: int) -> bool:
    return code == 552 or (400 <= code < 500 and code not in {421, 454} and not 430 <= code < 440)


def said(code: int, reason: bytes | str, verdict: Verdict) -> Answer:
    text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else reason
    return Answer(verdict, tidy(f"{code} {text}"), connection_lost=code == 421)


def summary_of(error: Exception) -> str:
    return tidy(f"{type(error).__name__}: {error}")


def tidy(text: str) -> str:
    """One line, printable (PostgreSQL takes no NUL), at most 500 characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:500]
