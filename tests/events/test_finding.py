"""Every filter with every order, against a plain walk through all events in Python."""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import combinations_with_replacement
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from jointoit.accounts.callers import Caller
from jointoit.accounts.models import User
from jointoit.api.lists.pagination import page_query
from jointoit.events import event_queries, roles
from jointoit.events.models import Event

ORDERINGS: dict[str, Callable[[Event], Any]] = {
    "date": lambda event: (event.date, event.pk),
    "created_at": lambda event: (event.created_at, event.pk),
    "title": lambda event: (event.title.casefold(), event.pk),
}
WORDS = ("Jazz", "Café", "Straße", "Київ", "ÉTÉ", "Workshop", "100%", "b_d")
PLACES = ("Berlin", "İstanbul", "São Paulo", "Київ")
PLAIN = {"ß": "ss", "é": "e", "É": "e", "ã": "a", "İ": "i"}
ZONE = ZoneInfo("Europe/Berlin")
SPRING = datetime(2099, 3, 29, tzinfo=ZONE)  # a day of 23 hours


def plain(text: str) -> str:
    return "".join(PLAIN.get(letter, letter) for letter in text).lower()


def has_words(event: Event, words: str) -> bool:
    text = plain(f"{event.title} {event.location} {event.description}").split()
    return all(word in text for word in plain(words).split())


#: Each filter: what is asked, and which events are meant.
FILTERS: dict[str, Callable[[Event, User], bool]] = {
    "title=jaz": lambda event, user: "jaz" in event.title.lower(),
    "title=STRASSE": lambda event, user: "Straße" in event.title,
    "title=0%25": lambda event, user: "0%" in event.title,
    "title=b_": lambda event, user: "b_" in event.title,
    "location=istan": lambda event, user: event.location == "İstanbul",
    "location=киї": lambda event, user: event.location == "Київ",
    "search=cafe": lambda event, user: has_words(event, "cafe"),
    "search=jazz+strasse": lambda event, user: has_words(event, "jazz strasse"),
    "search=été": lambda event, user: has_words(event, "ete"),
    "tag=music": lambda event, user: "music" in event.tags,
    "has_seats=true": lambda event, user: event.capacity is None or event.seats_taken < event.capacity,
    "has_seats=false": lambda event, user: event.capacity is not None and event.seats_taken == event.capacity,
    "upcoming=true": lambda event, user: event.date > datetime.now(UTC),
    "upcoming=false": lambda event, user: event.date <= datetime.now(UTC),
    "status=draft": lambda event, user: event.status == "draft",
    "status=published": lambda event, user: event.status == "published",
    "status=cancelled": lambda event, user: event.status == "cancelled",
    "date=2099-03-29&timezone=Europe/Berlin": lambda event, user: SPRING <= event.date < SPRING + timedelta(days=1),
    "date=2099-03": lambda event, user: (event.date.year, event.date.month) == (2099, 3),
    "organizer=me": lambda event, user: event.organizer_id == user.pk,
}


def draw(dice: random.Random, number: int, people: list[User]) -> Event:
    """One event; many share a date, a title or a moment of creation, so that ties are common."""
    capacity = dice.choice([None, 2, 3])
    return Event(
        title=" ".join(dice.choices(WORDS, k=2)),
        location=dice.choice(PLACES),
        description=dice.choice(["", "Un café", "jazz"]),
        date=dice.choice([SPRING.astimezone(UTC) + timedelta(hours=hours) for hours in (-1, 0, 1, 22, 23, 24)]
                         + [datetime(2020, 1, 1, tzinfo=UTC)]),
        organizer=dice.choice(people),
        capacity=capacity,
        seats_taken=dice.randint(0, capacity or 5),
        status=dice.choice(["published", "published", "cancelled", "draft"]),
        tags=dice.sample(["music", "tech"], k=dice.randint(0, 2)),
        created_at=datetime(2026, 1, 1 + number % 5, tzinfo=UTC),
        deleted_at=datetime(2026, 2, 1, tzinfo=UTC) if dice.random() < 0.1 else None,
    )  # fmt: skip


@pytest.fixture
def world(make_user) -> tuple[User, list[Event]]:
    """Two people and 120 events, as they are stored."""
    people = [make_user(), make_user()]
    dice = random.Random(7)
    Event.objects.bulk_create(draw(dice, number, people) for number in range(120))
    return people[0], list(Event.objects.all())


def meant(events: list[Event], user: User | None, chosen: tuple[str, ...], ordering: str) -> list[int]:
    """The ids that must be answered, in order."""
    me = user or User(pk=0)
    visible = [event for event in events if event.deleted_at is None]
    visible = [event for event in visible if event.status != "draft" or event.organizer_id == me.pk]
    found = [event for event in visible if all(FILTERS[each](event, me) for each in chosen)]
    found.sort(key=ORDERINGS[ordering.removeprefix("-")], reverse=ordering.startswith("-"))
    return [event.pk for event in found]


def pages(client: Any, url: str, link: str = "next") -> Iterator[list[int]]:
    at: str | None = url
    for _ in range(100):
        if at is None:
            return
        page = client.get(at).json()
        yield [row["id"] for row in page["results"]]
        at = page[link]
    pytest.fail("The pages go round in circles.")


def asked(chosen: tuple[str, ...], user: User) -> str | None:
    """The query string; None where it would give a parameter twice."""
    parts = [part.replace("=me", f"={user.pk}") for each in {*chosen} for part in each.split("&")]
    return "&".join(parts) if len({part.partition("=")[0] for part in parts}) == len(parts) else None


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("ordering", ORDERINGS)
def test_every_pair_of_filters_in_every_order(api, signed_in, world, ordering: str, signed: bool):
    user, events = world
    client, who = (signed_in(user), user) if signed else (api, None)
    for turn, chosen in enumerate(combinations_with_replacement(FILTERS, 2)):
        query = asked(chosen, user)
        if query is None or (who is None and "organizer" in query) or turn % 3 != list(ORDERINGS).index(ordering):
            continue
        wanted = meant(events, who, chosen, (order := "-" * (turn % 2) + ordering))
        page = client.get(f"/events/?{query}&ordering={order}&page_size=100&count=exact&typos=false").json()
        assert ([row["id"] for row in page["results"]], page["count"]) == (wanted[:100], len(wanted)), query


@pytest.mark.parametrize("query", ["ordering=date", "ordering=-title", "ordering=created_at", "search=jazz"])
def test_pages_in_both_directions_are_the_whole_list(api, world, query: str):
    whole = next(pages(api, f"/events/?{query}&page_size=100"))

    forth = list(pages(api, f"/events/?{query}&page_size=7"))
    at, last = f"/events/?{query}&page_size=7", ""
    while at:
        last, at = at, api.get(at).json()["next"]
    back = list(pages(api, last, "previous"))

    assert [pk for page in forth for pk in page] == whole
    assert back[::-1] == forth
    assert len(whole) > 21


@pytest.mark.parametrize("ordering", ["", *(sign + name for name in ORDERINGS for sign in ("", "-"))])
@pytest.mark.parametrize("link", ["next", "previous"])
def test_signed_in_and_without_drafts_the_list_is_that_of_the_public(
    api, signed_in, make_user, world, ordering: str, link: str
):
    at = f"/events/?page_size=20&ordering={ordering}" if ordering else "/events/?page_size=20"
    if link == "previous":
        while page := api.get(at).json()["next"]:
            at = page
    other, seen = signed_in(make_user()), 0
    while at:
        page = api.get(at).json()
        assert other.get(at).json() == page
        seen, at = seen + len(page["results"]), page[link]
    assert seen > 60


def test_triples_of_filters_drawn_by_chance(signed_in, world):
    user, events = world
    dice, client = random.Random(11), signed_in(user)
    for _ in range(100):
        chosen = tuple(dice.sample(list(FILTERS), k=3))
        ordering = dice.choice(["", "-"]) + dice.choice(list(ORDERINGS))
        if query := asked(chosen, user):
            page = client.get(f"/events/?{query}&ordering={ordering}&page_size=100&typos=false").json()
            assert [row["id"] for row in page["results"]] == meant(events, user, chosen, ordering), query


# ── Search ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def titles(client: Any, query: dict[str, str]) -> list[str]:
    return [row["title"] for row in client.get("/events/", query).json()["results"]]


def test_the_best_comes_first(api, make_event, now):
    make_event(title="Third", description="All about poetry.", date=now)
    make_event(title="Second", location="Poetry House", date=now)
    make_event(title="Poetry", date=now + timedelta(days=1))

    assert titles(api, {"search": "poetry"}) == ["Poetry", "Second", "Third"]
    assert titles(api, {"search": "poetry", "ordering": "date"}) == ["Third", "Second", "Poetry"]


def typos(word: str) -> set[str]:
    """Every way to get one letter of a word wrong, but the first."""
    cuts = [(word[:at], word[at:]) for at in range(1, len(word))]
    missing = {a + b[1:] for a, b in cuts}
    wrong = {f"{a}q{b[1:]}" for a, b in cuts}
    added = {f"{a}q{b}" for a, b in cuts}
    swapped = {a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1}
    return missing | wrong | added | swapped


@pytest.mark.parametrize("word", ["Workshop", "İstanbul", "climbing", "meeting"])
def test_one_typo_is_forgiven(api, make_event, word: str):
    make_event(title=f"The {word} of today")
    make_event(title="Nothing of the kind")

    missed = {typo for typo in typos(word) if titles(api, {"search": typo}) != [f"The {word} of today"]}

    assert missed == set()


def test_what_is_written_right_is_not_guessed_at(api, make_event):
    make_event(title="Marten")
    make_event(title="Martens")

    assert titles(api, {"search": "marten"}) == ["Marten"]
    assert titles(api, {"search": "marten", "typos": "true"}) == ["Marten", "Martens"]
    assert titles(api, {"search": "martan", "typos": "false"}) == []


def test_pages_of_guesses_say_so_and_go_on(api, make_event):
    for _ in range(5):
        make_event(title="Workshop")

    first = api.get("/events/?search=workshpo&page_size=2&count=exact").json()

    assert (first["count"], "typos=true" in first["next"]) == (5, True)
    assert [len(page) for page in pages(api, first["next"])] == [2, 1]


@pytest.mark.parametrize("search", ["!!!", "& | ! :*", "'", "-", "a" * 200, "x " * 100])
def test_a_search_without_a_word_that_exists_finds_nothing(api, make_event, search: str):
    make_event(title="Meetup")

    response = api.get("/events/", {"search": search})

    assert (response.status_code, response.json()["results"]) == (200, [])


def test_a_search_that_is_too_long_is_refused(api, db):
    response = api.get("/events/", {"search": "x" * 201})

    assert (response.status_code, response.json()["errors"][0]["parameter"]) == (400, "search")


def test_a_search_costs_one_query_and_a_second_only_where_it_found_nothing(api, make_event, django_assert_num_queries):
    make_event(title="Workshop")

    with django_assert_num_queries(1):
        assert titles(api, {"search": "workshop"}) == ["Workshop"]
    with django_assert_num_queries(2):
        assert titles(api, {"search": "wrokshop"}) == ["Workshop"]


def test_changed_words_are_found_and_old_ones_are_not(api, make_event):
    event = make_event(title="Before")
    event.title = "After"
    event.save()

    assert (titles(api, {"search": "after"}), titles(api, {"search": "before", "typos": "false"})) == (["After"], [])


def test_a_title_that_folding_makes_very_long_is_kept_and_sorted(api, make_event):
    make_event(title="\ufdfa" * 255)

    assert len(titles(api, {"ordering": "title"})) == 1


# ── Days that are not 24 hours long ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("day", "hours"), [("2099-03-29", 23), ("2099-10-25", 25), ("2099-06-01", 24)])
def test_a_day_has_the_hours_that_its_place_lives(api, make_event, day: str, hours: int):
    midnight = datetime.fromisoformat(day).replace(tzinfo=ZONE).astimezone(UTC)
    for hour in range(-2, 28):
        make_event(title=str(hour), date=midnight + timedelta(hours=hour))

    found = api.get("/events/", {"date": day, "timezone": "Europe/Berlin", "page_size": "100"}).json()["results"]

    assert [int(row["title"]) for row in found] == list(range(hours))


@pytest.mark.parametrize("url", ["/events/", "/events/{}/", "/events/?search=meetup"])
def test_what_is_known_is_not_sent_again(api, make_event, url: str):
    event = make_event(capacity=2)
    etag = api.get(url.format(event.pk))["ETag"]

    same = api.get(url.format(event.pk), headers={"If-None-Match": etag})
    Event.objects.filter(pk=event.pk).update(seats_taken=1)
    other = api.get(url.format(event.pk), headers={"If-None-Match": etag})

    assert (same.status_code, same.content, same["ETag"]) == (304, b"", etag)
    assert (other.status_code, other["ETag"] != etag) == (200, True)


@pytest.mark.parametrize("role", ["nobody", "organizer", "stranger"])
def test_the_statement_and_the_role_agree_on_what_is_visible(make_user, make_event, now, role: str):
    organizer, stranger = make_user(), make_user()
    for status in Event.Status.values:
        for deleted_at in (None, now):
            make_event(organizer=organizer, status=status, deleted_at=deleted_at)
    caller = Caller({"nobody": None, "organizer": organizer, "stranger": stranger}[role])
    listing = event_queries.event_list({}, reader=caller.values["reader"], now=now)

    found = {row["id"] for row in page_query(listing.query, has_edge=False, backward=False).rows({
        **listing.values, "page_rows": 101,
    })}  # fmt: skip

    assert found == {event.pk for event in Event.objects.all() if roles.sees(caller, event)}
