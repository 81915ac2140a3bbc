"""A believable data set: people, past and coming events in several cities and languages, seats of every status."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.contrib.auth.hashers import make_password

from jointoit.accounts.callers import SERVICE, Caller
from jointoit.accounts.models import User
from jointoit.errors import Conflict
from jointoit.events import booking, refusals, scheduling
from jointoit.events.models import Event, Registration

PASSWORD = "demo-seats-2026"  # noqa: S105  printed for whoever looks around on a laptop
DAYS = (-120, -45, -20, -6, 2, 5, 9, 16, 30, 75, 200)


@dataclass(frozen=True)
class Place:
    city: str
    venue: str
    timezone: str
    titles: tuple[str, ...]


PLACES = (
    Place("Berlin", "Kulturhaus am Ufer", "Europe/Berlin", ("Python-Abend", "Straßenfest der Nachbarn")),
    Place("Київ", "Дім книги", "Europe/Kyiv", ("Читання молодих поетів", "Зустріч розробників")),
    Place("İstanbul", "Rıhtım Salonu", "Europe/Istanbul", ("Boğazda sabah koşusu", "Yapay zekâ söyleşisi")),
    Place("東京", "渋谷ホール", "Asia/Tokyo", ("データベース勉強会", "夜のジャズ演奏会")),
    Place("São Paulo", "Casa das Artes", "America/Sao_Paulo", ("Oficina de cerâmica", "Encontro de dados")),
    Place("New York", "Library on 5th", "America/New_York", ("Postgres at scale", "Open-source breakfast")),
    Place("القاهرة", "بيت الفنون", "Africa/Cairo", ("أمسية شعرية", "ورشة تصوير")),
    Place("Paris", "Atelier du Canal", "Europe/Paris", ("Marché aux livres", "Initiation à l’escalade")),
)
NAMES = (
    ("amelie", "Amélie", "Dubois"), ("bohdan", "Богдан", "Шевчук"), ("chidi", "Chidi", "Okafor"),
    ("defne", "Defne", "Yıldız"), ("emeka", "Emeka", "Nwosu"), ("farah", "Farah", "Haddad"),
    ("giulia", "Giulia", "Conti"), ("haruto", "陽翔", "佐藤"), ("ines", "Inês", "Carvalho"),
    ("jonas", "Jonas", "Weiß"), ("kavya", "Kavya", "Iyer"), ("liam", "Liam", "O’Connor"),
    ("mariam", "مريم", "سالم"), ("nils", "Nils", "Åkesson"), ("oksana", "Оксана", "Бондар"),
    ("pedro", "Pedro", "Alves"), ("quynh", "Quỳnh", "Trần"), ("rosa", "Rosa", "Jiménez"),
    ("sami", "Sami", "Virtanen"), ("tove", "Tove", "Lindqvist"), ("umut", "Umut", "Kaya"),
    ("vera", "Věra", "Nováková"), ("wanjiru", "Wanjirũ", "Kamau"), ("yael", "יעל", "לוי"),
)  # fmt: skip


def people() -> list[User]:
    """Create the people; their password is hashed once, since it is the same for all."""
    password = make_password(PASSWORD)
    return User.objects.bulk_create(
        User(
            username=f"demo-{name}",
            email=f"{name}@demo.example",
            email_verified=True,
            first_name=first,
            last_name=last,
            timezone=PLACES[number % len(PLACES)].timezone,
            password=password,
        )
        for number, (name, first, last) in enumerate(NAMES)
    )


def steps(*, now: datetime, seed: int) -> Iterator[str]:
    """Fill the database, one event a step, yielding its title; the same seed gives the same data."""
    dice = random.Random(seed)  # noqa: S311  no secret is drawn
    users = people()
    for place in PLACES:
        for title in place.titles:
            yield event_with_guests(place, title, users, now=now, dice=dice)


def event_with_guests(place: Place, title: str, users: list[User], *, now: datetime, dice: random.Random) -> str:
    day = now.astimezone(ZoneInfo(place.timezone)) + timedelta(days=dice.choice(DAYS))
    date = day.replace(hour=dice.choice((9, 18, 19, 20)), minute=dice.choice((0, 30)), second=0, microsecond=0)
    announced = min(now, date) - timedelta(days=20)
    event = scheduling.create(
        organizer=dice.choice(users),
        now=announced,
        fields={
            "title": title,
            "description": f"{title} — {place.venue}, {place.city}.",
            "date": date,
            "ends_at": date + timedelta(hours=dice.choice((2, 3, 8))),
            "timezone": place.timezone,
            "location": f"{place.venue}, {place.city}",
            "capacity": dice.choice((4, 6, 12, None)),
            "waitlist": dice.random() < 0.6,
            "requires_approval": dice.random() < 0.25,
            "tags": dice.sample(["music", "tech", "books", "sport", "food", "free"], k=2),
        },
    )
    guests = [user for user in dice.sample(users, k=dice.randint(3, 12)) if user.pk != event.organizer_id]
    register_all(event, guests, since=announced, dice=dice)
    if date > now and dice.random() < 0.1:
        scheduling.cancel(event_id=event.pk, caller=SERVICE, now=now)
    return title


def register_all(event: Event, guests: list[User], *, since: datetime, dice: random.Random) -> None:
    """Let the guests ask one after the other; some are approved, some think better of it."""
    for number, guest in enumerate(guests):
        moment = since + timedelta(hours=number + 1)
        try:
            registration = booking.register(event_id=event.pk, attendee=guest, now=moment)
        except Conflict:
            continue
        if registration.status == Registration.Status.PENDING and not event.is_full and dice.random() < 0.6:
            approve(registration, event, now=moment)
        elif dice.random() < 0.15:
            booking.set_status(
                registration_id=registration.pk, caller=Caller(guest), status=Registration.Status.CANCELLED, now=moment
            )


def approve(registration: Registration, event: Event, *, now: datetime) -> None:
    try:
        booking.set_status(
            registration_id=registration.pk,
            caller=Caller(event.organizer),
            status=Registration.Status.CONFIRMED,
            now=now,
        )
    except refusals.EventFull:
        return
