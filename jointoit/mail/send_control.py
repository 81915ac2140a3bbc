"""Whether mail may go out now: held by an operator, stopped by an ill mail server, paced by MAIL_RATE."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, F
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce, Greatest

from jointoit.mail import marks
from jointoit.mail.models import OutboxMail, SendControl
from jointoit.mail.policy import GIVE_UP_AFTER, PROBE_EVERY
from jointoit.process import place

log = structlog.get_logger(__name__)

#: A sender that would have to wait longer than this for its turn puts its mails back.
PATIENCE = timedelta(seconds=2)
#: A sender says so often that it is there.
SHOW_EVERY = timedelta(seconds=10)
RESTORED = "This database was restored, or taken over by a replica. Look at the outbox, then release it."
PUT_BACK = (
    "Files of this database were put back: it has forgotten mail that went out. Look at the outbox, then release it."
)
CREATE = f"""
    INSERT INTO mail_mailgate (id, held_because, ill_answer, home, place)
    VALUES (1, '', '', {place.HOME}, {place.HERE}) ON CONFLICT DO NOTHING
"""  # noqa: S608  constants
# What the release before wrote, and what this one does.
HOME, HERE = RawSQL(place.HOME, ()), RawSQL(place.HERE, ())  # noqa: S611  constants
PACE = """
    UPDATE mail_mailgate SET paced_until = greatest(paced_until, %(now)s) + %(step)s * interval '1 second'
    WHERE id = 1 AND coalesce(paced_until, %(now)s) <= %(latest)s
    RETURNING paced_until - %(step)s * interval '1 second'
"""


@dataclass(frozen=True)
class Permit:
    """How many mails may be claimed. A probe is a single one, sent to learn whether the mail server is well again."""

    mails: int
    is_probe: bool = False


def permit(*, batch: int, now: datetime) -> Permit:
    control = current(now=now)
    show_presence(control, now=now)
    if control.held_at:
        return Permit(0)
    if control.down_since:
        return Permit(1, is_probe=True) if take_probe(now=now) else Permit(0)
    return Permit(1 if rate() else batch)


def current(*, now: datetime) -> SendControl:
    """The row as it is; made where it is missing, held where it finds itself in a copy that was restored."""
    control, here = look()
    highest = marks.highest(control.place)
    if control.claims < highest:  # perhaps another sender has claimed since; what is remembered is committed
        control, here = look()
    if control.place == here and control.claims >= highest:
        return control
    because = RESTORED if control.place != here else PUT_BACK
    log.warning(
        "mail_held_after_restore",
        because=because,
        hint="Read `mail status`, then `mail release`: docs/operations.md, restoring.",
    )
    hold(because=because, now=now)
    # Noticed once: from here on it is where it is, and has claimed what anybody remembers.
    SendControl.objects.filter(pk=1).update(place=HERE, home=HOME, claims=Greatest(F("claims"), highest))
    return current(now=now)


def look() -> tuple[SendControl, str]:
    """The row, and where it is."""
    control = SendControl.objects.annotate(here=HERE).filter(pk=1).first()
    if control is None:
        make()
        return look()
    return control, control.here


def show_presence(control: SendControl, *, now: datetime) -> None:
    """Let others know that mail is looked after, which costs a write now and then."""
    if control.looked_at is None or abs(now - control.looked_at) >= SHOW_EVERY:
        SendControl.objects.filter(pk=1).update(looked_at=now)


def make() -> None:
    """Add the row, if there is none yet."""
    with connection.cursor() as cursor:
        cursor.execute(CREATE)


# ── An operator's hand ────────────────────────────────────────────────────────────────────────────────────────────────


def hold(*, because: str, now: datetime) -> None:
    """Keep every mail back until `release`; the mail in flight is not called back."""
    make()
    SendControl.objects.filter(pk=1).update(held_at=Coalesce(F("held_at"), now), held_because=because)


def release(*, now: datetime) -> None:
    """Let mail out again. What waited gets its full time of trying, however long it was held."""
    with transaction.atomic():
        SendControl.objects.filter(pk=1).update(held_at=None, held_because="")
        waiting = OutboxMail.objects.filter(state=OutboxMail.State.PENDING, give_up_at__lt=now + GIVE_UP_AFTER)
        waiting.update(give_up_at=now + GIVE_UP_AFTER)


# ── The breaker ───────────────────────────────────────────────────────────────────────────────────────────────────────


def trip(*, answer: str, now: datetime) -> None:
    """The mail server does not serve us: stop all senders, and try one mail a minute."""
    log.warning(
        "mail_breaker_open",
        answer=answer,
        hint="Look at the mail server and at EMAIL_*; a mail is tried every now and then.",
    )
    SendControl.objects.filter(pk=1).update(
        down_since=Coalesce(F("down_since"), now), down_answer=answer, probe_at=now + PROBE_EVERY
    )


def recover() -> None:
    if SendControl.objects.exclude(down_since=None).update(down_since=None, down_answer="", probe_at=None):
        log.warning("mail_breaker_closed", hint="Nothing to do: mail leaves again.")


def take_probe(*, now: datetime) -> bool:
    """Whether the caller is the one who may try a mail now; only where one is due, or the turn would be wasted."""
    due = OutboxMail.objects.filter(state=OutboxMail.State.PENDING, not_before__lte=now)
    return bool(SendControl.objects.filter(Exists(due), pk=1, probe_at__lte=now).update(probe_at=now + PROBE_EVERY))


# ── The pace ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def rate() -> float | None:
    """Mails a second over all workers, or None without a limit."""
    return None if settings.MAIL_RATE == "off" else float(settings.MAIL_RATE)


def turn(*, now: datetime) -> datetime | None:
    """Take the next slot of MAIL_RATE: when the mail may go out, or None where that is too far away to wait for."""
    if (per_second := rate()) is None:
        return now
    with connection.cursor() as cursor:
        cursor.execute(PACE, {"now": now, "step": 1 / per_second, "latest": now + PATIENCE})
        row = cursor.fetchone()
    return row[0] if row else None
