"""To an address that nobody has shown to read: no link in others' words, few mails, and a way out."""

import re
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from jointoit.api.linkifier import linkifier
from jointoit.mail import lines, links, outbox, rendering, unverified
from jointoit.mail import messages as m
from jointoit.mail.models import OutboxMail
from tests.mail.conftest import Clock
from tests.mail.samples import ADA, ALSO, KINDS, MEETING, sample
from tests.mail.sink import Sink
from tests.mail.test_rendering import on_the_wire, part

LURE = "Claim your prize at https://evil.example/claim or evil.com, me@evil.com"
STRANGER = replace(ADA, name=LURE, verified=False)
EVENT = replace(MEETING, title=LURE, location=LURE, organizer_name=LURE, description=LURE)
State = OutboxMail.State


def lured(kind: str, to: m.Person = STRANGER) -> Any:
    """The mail with a lure in each word of others."""
    cls = KINDS[kind]
    known: dict[str, Any] = {"to": to} | {name: LURE for name, v in ALSO.get(cls, {}).items() if isinstance(v, str)}
    known |= {name: EVENT for name in ("event", "before") if name in {f.name for f in fields(cls)}}
    return sample(cls, **known)


def strange(text: str) -> list[str]:
    """What becomes a link without leading to the service, or being the reader's own address."""
    found = [match.text for match in linkifier().match(text) or []]
    return [link for link in found if not link.startswith("http://127.0.0.1:8000/") and link not in OURS]


#: The address of the reader, that of the service, and those that `samples` has the service give out.
OURS = {ADA.address, "events@jointoit.example", "https://events.example/events/5/", "jointoit.example"}
OURS |= {"https://events.example/registrations/7/"}


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_that_others_wrote_becomes_a_link(kind: str) -> None:
    mail = on_the_wire(lured(kind))
    text, html = (
        part(mail, "plain"),
        re.sub(r"<(style|script).*?</\1>|<[^>]*>", " ", part(mail, "html"), flags=re.DOTALL),
    )
    calendars = [str(p.get_content()) for p in mail.walk() if p.get_content_type() == "text/calendar"]
    others = [line for c in calendars for line in c.replace("\r\n ", "").splitlines() if "prize" in line]

    assert (strange(text), strange(html), strange(str(mail["Subject"]))) == ([], [], [])
    assert [link for line in others for link in strange(re.sub(r"mailto:\S+", "", line))] == []


@pytest.mark.parametrize("kind", KINDS)
def test_no_word_of_others_stands_in_the_subject(kind: str) -> None:
    assert "prize" not in rendering.write(lured(kind)).subject


def test_who_has_a_verified_address_reads_what_was_written() -> None:
    content = rendering.write(lured("registration_confirmed", to=ADA))

    assert (content.subject, LURE in content.text) == (f"Confirmed: {LURE}", True)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("verified", [True, False])
def test_only_a_stranger_is_offered_a_way_out(kind: str, verified: bool) -> None:
    content = rendering.write(sample(KINDS[kind], to=replace(ADA, verified=verified)))
    tokens = re.findall(r"/users/not-me/\?token=(\S+)", content.text)

    assert [links.stranger_of(token) for token in tokens] == ([] if verified else [ADA.address])
    assert content.html.count("/users/not-me/") == (not verified)


def test_a_stranger_answers_whoever_the_organizer_named() -> None:
    mail = on_the_wire(sample(m.RegistrationConfirmed, to=STRANGER, event=replace(MEETING, contact="us@my.club.org")))

    assert mail["Reply-To"] == "us@my.club.org"


def test_a_stranger_takes_the_seat_under_the_name_that_was_given() -> None:
    given: list[links.Visitor] = []
    message = sample(m.RegistrationLink, to=STRANGER, first_name="St.John", last_name="O.Hara")

    def mint(visitor: links.Visitor) -> str:
        given.append(visitor)
        return "token"

    rendering.write(message, mint_visitor=mint)

    assert [(visitor.first_name, visitor.last_name) for visitor in given] == [("St.John", "O.Hara")]


# ── Twenty a day ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def flood(sink: Sink, deliver: Callable[[], bool]) -> list[OutboxMail]:
    """A stranger's address that 23 mails were promised to, of which some are sent."""
    with transaction.atomic():
        for number in range(23):
            message = sample(m.EventHandedOver, to=STRANGER, event=replace(MEETING, id=100 + number))
            outbox.enqueue(message, key=f"flood:{number}")
        outbox.enqueue(sample(m.PasswordChanged, to=replace(ADA, address="grace@example.org")), key="grace")
    deliver(), deliver()
    return list(OutboxMail.objects.order_by("pk"))


@pytest.mark.django_db
def test_a_stranger_gets_twenty_a_day_and_nobody_else_waits(flood: Any, sink: Sink) -> None:
    assert (sink.recipients.count(ADA.address), "grace@example.org" in sink.recipients) == (20, True)
    assert OutboxMail.objects.filter(state=State.PENDING).exclude(held_at=None).count() == 3


@pytest.mark.django_db
def test_what_was_held_is_one_summary_after_a_day(
    flood: Any, sink: Sink, clock: Clock, deliver: Callable[[], bool]
) -> None:
    OutboxMail.objects.filter(state=State.SENT).update(settled_at=clock.now)
    clock.pass_by(hours=24)
    deliver(), deliver()

    assert len(sink.received) == 22
    assert "3 mails to this address waited" in rendering.write(sample(m.HeldMails, to=STRANGER)).text
    assert OutboxMail.objects.get(kind="held_mails").payload["number"] == 3
    assert not OutboxMail.objects.filter(state=State.PENDING).exists()


@pytest.mark.django_db
def test_what_was_held_goes_out_once_the_address_is_verified(
    flood: Any, sink: Sink, clock: Clock, deliver: Callable[[], bool]
) -> None:
    assert unverified.held_addresses() == [ADA.address]
    unverified.release([ADA.address])
    clock.pass_by(minutes=1)
    deliver()

    assert (len(sink.received), OutboxMail.objects.filter(state=State.PENDING).count()) == (24, 0)


@pytest.mark.django_db
def test_what_waited_behind_a_held_mail_goes_out_with_it(
    flood: Any, sink: Sink, clock: Clock, deliver: Callable[[], bool]
) -> None:
    head = next(mail for mail in flood if mail.held_at)
    with transaction.atomic():
        event = replace(MEETING, id=head.payload["event"]["id"])
        outbox.enqueue(sample(m.EventHandedOver, to=STRANGER, event=event), key="behind")
    lines.line_up(now=clock.now)
    assert OutboxMail.objects.get(dedupe_key="behind").not_before > clock.now
    unverified.release([ADA.address])
    clock.pass_by(minutes=1)
    deliver(), deliver()

    assert OutboxMail.objects.filter(state=State.PENDING).count() == 0
    assert OutboxMail.objects.get(dedupe_key="behind").payload["to"]["verified"] is True


@pytest.mark.django_db
def test_the_next_day_brings_twenty_more(flood: Any, sink: Sink, clock: Clock, deliver: Callable[[], bool]) -> None:
    OutboxMail.objects.filter(state=State.SENT).update(settled_at=clock.now - timedelta(days=1))
    with transaction.atomic():
        outbox.enqueue(sample(m.PasswordChanged, to=STRANGER), key="next")
    deliver()

    assert sink.recipients.count(ADA.address) == 21
