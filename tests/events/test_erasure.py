"""A closed account is gone: neither the name nor any address that the person had is anywhere in the database."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from jointoit.accounts import (
    account_closing,
    addresses,
    calendar_addresses,
    keys,
    login_links,
    passwords,
    profile,
    signup,
    tokens,
)
from jointoit.accounts.callers import Caller
from jointoit.accounts.models import User
from jointoit.events import booking, door_passes, scheduling, team, visitors
from jointoit.events.models import Event, Registration
from jointoit.mail import claims, links
from jointoit.mail.models import OutboxMail
from jointoit.organizing import announcements, guests, reports, transfers
from tests.client import ServiceClient

PASSWORD = "weaving algebra"
TRACES = ("zephyrine", "quillfeather", "zq-first", "zq-second", "zq-third", "zq-wanted")


def found() -> dict[str, list[str]]:
    """By table, the rows in which something of the person stands."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = [name for (name,) in cursor.fetchall()]
        rows: dict[str, list[str]] = {}
        for table in tables:
            cursor.execute(f'SELECT lower(t::text) FROM "{table}" AS t')
            texts = [text + unhexed(text) for (text,) in cursor.fetchall()]
            if named := [text for text in texts if any(trace in text for trace in TRACES)]:
                rows[table] = named
        return rows


def unhexed(text: str) -> str:
    """Bytes are written in hexadecimal."""
    parts = text.split("\\x")[1:]
    digits = ["".join(character for character in part if character in "0123456789abcdef") for part in parts]
    return "".join(bytes.fromhex(part[: len(part) // 2 * 2]).decode(errors="replace").lower() for part in digits)


def move(user: User, address: str, now: datetime) -> User:
    user = profile.update(user=user, values={"email": address}, current_password=PASSWORD, now=now)
    token = links.mint("change_email", address=address, user_id=user.pk, token_epoch=user.token_epoch)
    addresses.verify(token=token)
    return User.objects.get(pk=user.pk)


def hand_over(event: Event, to: User, now: datetime) -> None:
    offer = team.offer_handover(caller=Caller(event.organizer), event_id=event.pk, email=to.email, now=now)
    team.accept(user=to, invitation_id=offer.pk, now=now)


@pytest.mark.parametrize("sent", [False, True], ids=["mails wait", "mails went out"])
def test_a_person_who_did_everything_leaves_nothing_behind(
    make_user: Callable[..., User],
    make_event: Callable[..., Event],
    register: Callable[..., Registration],
    now: datetime,
    sent: bool,
) -> None:
    friend = make_user(email_verified=True)
    person = signup.sign_up(
        username="zephyrine", email="zq-first@example.org", password=PASSWORD, now=now,
        first_name="Zephyrine", last_name="Quillfeather",
    )  # fmt: skip
    token = links.mint("verify_email", address=person.email, user_id=person.pk, token_epoch=0)
    addresses.verify(token=token)
    api = ServiceClient()
    for password in ("wrong", PASSWORD):
        api.post("/api/token/", {"username": "zephyrine", "password": password})

    # An attendee, an organizer with guests, one who hands over and is handed over to.
    elsewhere = make_event(organizer=friend)
    booking.register(event_id=elsewhere.pk, attendee=person, now=now)
    past, coming, given = (make_event(organizer=person) for _ in range(3))
    got = make_event(organizer=friend)
    for event in (past, coming, given, got):
        register(event)
        scheduling.change(event_id=event.pk, fields={"location": "Nowhere"}, caller=Caller(event.organizer), now=now)
    person = User.objects.get(pk=person.pk)
    team.invite(caller=Caller(person), event_id=coming.pk, email="door@example.net", role="door", now=now)
    hand_over(given, friend, now)
    hand_over(got, person, now)
    # What organizers and guests do every week.
    Event.objects.filter(organizer=person).update(contact=person.email)
    caller = Caller(person)
    announcements.announce(
        caller=caller, event_id=coming.pk, subject="News", text="Upstairs.", to=["confirmed"], now=now
    )
    guests.add(caller=caller, event_id=coming.pk, email="guest@example.net", now=now)
    scheduling.change(event_id=coming.pk, fields={"location": "Elsewhere"}, caller=caller, now=now)
    seat = booking.register(event_id=make_event(allow_transfers=True).pk, attendee=person, now=now)
    offer = transfers.offer(caller=caller, registration_id=seat.pk, email=friend.email, now=now)
    transfers.accept(user=friend, transfer_id=offer.pk, now=now)
    reports.report(event=elsewhere, kind="spam", text="Zephyrine knows.", reporter=person, now=now)
    # Mails that name two people are erased when they have gone out, which takes seconds.
    OutboxMail.objects.filter(forget=True).update(state="sent", settled_at=now)
    claims.scrub(now=now)
    Event.objects.filter(pk=past.pk).update(date=now - timedelta(days=3))
    door_passes.create(event_id=coming.pk, caller=Caller(person), label="Door", now=now)
    keys.create(user=person, name="Printer", scopes=["feed"], password=PASSWORD, now=now)
    person = User.objects.get(pk=person.pk)

    # Every address they ever had, a name that was theirs, an address that was only asked for.
    person = move(person, "zq-second@example.org", now)
    person = profile.update(user=person, values={"username": "quillfeather"}, now=now)
    person = move(person, "zq-third@example.org", now)
    person = profile.update(user=person, values={"email": "zq-wanted@example.org"}, now=now)
    passwords.ask_for_reset(email=person.email, now=now)
    login_links.ask(email=person.email, now=now)
    visitors.ask(event_id=make_event().pk, email=person.email, first_name="Zephyrine", now=now)
    calendar_addresses.make(user=person, now=now)
    tokens.issue(user=person, now=now)
    root = Client()
    root.force_login(User.objects.create_superuser("root", "root@example.org"))
    root.post(reverse("admin:accounts_user_changelist"), {"action": "end_sessions", "_selected_action": [person.pk]})
    form = {"password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"}
    root.post(reverse("admin:auth_user_password_change", args=[person.pk]), form)
    assert {"accounts_user", "mail_outboxmail", "django_admin_log"} <= found().keys()
    if sent:
        OutboxMail.objects.filter(state="pending").update(state="sent", settled_at=now)
        claims.scrub(now=now)

    account_closing.close(user=User.objects.get(pk=person.pk), password=PASSWORD, now=now)

    assert found() == {}
