"""The feed: who reads which facts, and when a cursor is good no longer. Races are in tests/races/test_feed.py."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.db import connection

from jointoit.accounts.callers import Caller
from jointoit.accounts.models import ApiKey
from jointoit.events import booking, history, scheduling, team
from jointoit.events.feed import query
from jointoit.events.models import Membership
from jointoit.journal import feed
from jointoit.journal.models import Fact, FeedState

PUBLIC = ["event.published", "event.changed", "event.cancelled"]


def path_of(link):
    return "{0.path}?{0.query}".format(urlsplit(link))


def follow(client, path="/feed/"):
    """All facts from there on, and where to ask next."""
    facts = []
    while True:
        page = client.get(path).json()
        path = path_of(page["next"])
        if not page["results"]:
            return facts, path
        facts += page["results"]


def types(client, path="/feed/"):
    return [fact["type"] for fact in follow(client, path)[0]]


@pytest.fixture
def event(make_user, now):
    """Made as a draft, published, changed, with one registration; then cancelled."""
    organizer = make_user()
    fields = {"title": "Launch", "location": "Berlin", "date": now + timedelta(days=9), "status": "draft"}
    event = scheduling.create(organizer=organizer, now=now, fields=fields)
    step = {"event_id": event.pk, "caller": Caller(organizer), "now": now}
    scheduling.publish(**step)
    scheduling.change(**step, fields={"title": "Landing"})
    booking.register(event_id=event.pk, attendee=make_user(), now=now)
    scheduling.cancel(**step)
    Fact.objects.update(transaction=1)  # a test is one transaction: as if it had ended long ago
    event.refresh_from_db()
    return event


def test_anybody_reads_of_an_event_from_its_publication_on(event, api, make_user, signed_in):
    facts, _ = follow(api)

    assert [fact["type"] for fact in facts] == PUBLIC
    assert facts[1] == facts[1] | {"event": event.pk, "before": {"title": "Launch"}, "after": {"title": "Landing"}}
    assert types(signed_in(make_user())) == PUBLIC


def test_who_acted_is_for_who_manages_the_event(event, api, signed_in):
    nobody, manager = (follow(client, "/feed/?types=event.changed")[0] for client in (api, signed_in(event.organizer)))

    assert [fact["actor"] for fact in nobody] == [{"kind": "organizer", "id": None}]
    assert [fact["request_id"] for fact in nobody] == [None]
    assert [fact["actor"] for fact in manager] == [{"kind": "owner", "id": event.organizer_id}]


def test_who_manages_an_event_reads_all_of_it_until_the_role_is_taken(event, make_user, signed_in, now):
    helper = make_user()
    role = Membership.objects.create(owner=event.organizer, event=event, member=helper, role="manager", since=now)
    before, owner = types(signed_in(helper), "/feed/?managed=true"), types(signed_in(event.organizer))

    team.remove(caller=Caller(event.organizer), event_id=event.pk, membership_id=role.pk, now=now)

    assert before == owner == [
        "event.created", "event.published", "event.changed", "registration.confirmed", "event.cancelled",
        "registration.cancelled",
    ]  # fmt: skip
    assert types(signed_in(helper), "/feed/?managed=true") == []
    assert types(signed_in(helper)) == PUBLIC


@pytest.mark.parametrize(("owned", "seen"), [(True, 6), (False, 3)])
def test_a_key_for_some_events_reads_all_of_those_alone(event, make_event, signed_in, owned, seen):
    other = make_event(organizer=event.organizer)
    client = signed_in(event.organizer)
    events = [event.pk if owned else other.pk]
    client.force_authenticate(event.organizer, ApiKey(user=event.organizer, scopes=["feed"], events=events))

    assert len(types(client)) == seen


def test_the_feed_is_narrowed_by_type_and_event(event, make_event, api, signed_in):
    client = signed_in(event.organizer)
    two = ["event.created", "registration.cancelled"]

    assert types(client, f"/feed/?types={','.join(two)}") == two
    assert types(client, f"/feed/?event={event.pk}&managed=true") == types(client)
    assert types(client, f"/feed/?event={make_event().pk}") == []
    assert types(api, "/feed/?managed=true") == []
    assert api.get("/feed/?types=event.gone").json()["errors"][0]["parameter"] == "types"


def test_pages_of_one_give_the_same_as_one_page(event, signed_in):
    client = signed_in(event.organizer)

    assert follow(client, "/feed/?page_size=1")[0] == client.get("/feed/").json()["results"]


def test_from_now_on_is_behind_everything_that_is_visible(event, signed_in, now):
    client = signed_in(event.organizer)
    old, place = follow(client, "/feed/?from=now")
    place = feed.Cursor.read(place.partition("cursor=")[2])
    before = feed.Cursor(place.transaction - 1, place.id, place.era, place.pruned)

    scheduling.delete(event_id=event.pk, caller=Caller(event.organizer), now=now)
    Fact.objects.filter(type="event.deleted").update(transaction=place.transaction - 1)

    assert old == []
    assert types(client, f"/feed/?cursor={place.write()}") == []
    assert types(client, f"/feed/?cursor={before.write()}") == ["event.deleted"]


@pytest.mark.parametrize("signed", [False, True])
def test_a_page_of_the_feed_costs_one_query(event, api, signed_in, django_assert_num_queries, signed):
    client = signed_in(event.organizer) if signed else api
    client.get("/feed/")

    with django_assert_num_queries(1):
        client.get("/feed/")


# ── Cursors that are good no longer ──


def forget(event, now):
    event.date, event.ends_at = now - timedelta(days=500), None
    event.save()
    history.prune(now)


def test_a_cursor_before_what_was_forgotten_is_gone_and_says_where_to_start(event, signed_in, now):
    client = signed_in(event.organizer)
    behind, ahead = path_of(client.get("/feed/?page_size=2").json()["next"]), follow(client)[1]

    forget(event, now)
    gone = client.get(behind)

    assert (gone.status_code, gone.json()["code"]) == (410, "cursor_expired")
    assert gone.json()["restart"].endswith("/feed/?page_size=2&from=start")
    assert client.get(ahead).json()["results"] == []
    assert types(client) == []


def test_who_starts_anew_is_not_sent_away_by_what_was_forgotten_before(event, make_event, signed_in, now):
    client = signed_in(event.organizer)
    kept = make_event(organizer=event.organizer)
    Fact.objects.filter(pk=Fact.objects.earliest("pk").pk).update(event_id=kept.pk)

    forget(event, now)

    assert types(client, "/feed/?page_size=1") == ["event.created"]


def test_a_restored_copy_knows_no_cursor_and_begins_with_what_it_has(event, signed_in):
    """As after `pg_restore`: another home, and numbers of transactions that are still to come here."""
    client = signed_in(event.organizer)
    before, place = follow(client)
    FeedState.objects.update(home="elsewhere")
    Fact.objects.update(transaction=2**60)

    assert (client.get(place).status_code, client.get("/feed/").json()["code"]) == (410, "feed_renewed")
    assert (feed.renew(), feed.renew()) == (True, False)
    assert client.get(place).status_code == 410
    assert follow(client)[0] == before


def test_a_cursor_from_the_future_is_one_of_files_that_were_put_back(event, api):
    _, place = follow(api)
    state = FeedState.objects.get()
    ahead = feed.Cursor(2**60, 0, str(state.era), state.pruned).write()

    assert api.get(place).status_code == 200
    assert api.get(f"/feed/?cursor={ahead}").status_code == 410


@pytest.mark.parametrize("cursor", ["forged", "W10.x", feed.SIGNER.sign_object([1]), feed.SIGNER.sign_object(5)])
def test_what_is_no_cursor_of_the_feed_is_refused(db, api, cursor):
    answer = api.get(f"/feed/?cursor={cursor}")

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "invalid_cursor")


def test_each_reader_has_an_index_for_the_feed(event):
    """Without the other ways the plan shows whether an index fits at all."""
    values = {"reader": 1, "only": None, "edge_transaction": 0, "edge_id": 0, "page_rows": 21}
    plans = []
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off")
        cursor.execute("DROP INDEX fact_transaction")  # as good as any for a few rows; of all events in one order
        for signed_in in (False, True):
            sql = feed.PAGE.format(state=feed.STATE, facts=query(frozenset(), signed_in, False))
            cursor.execute(f"EXPLAIN {sql}", values)
            plan = "\n".join(line for (line,) in cursor)
            plans.append({name for name in ("fact_public", "fact_event_feed") if name in plan})

    assert plans == [{"fact_public"}, {"fact_public", "fact_event_feed"}]


def test_what_one_manages_and_what_anybody_reads_are_one_list_without_doubles(event, make_user, signed_in, now):
    fields = {"title": "Another", "location": "Bonn", "date": now + timedelta(days=9)}
    scheduling.create(organizer=make_user(), now=now, fields=fields)
    Fact.objects.update(transaction=1)

    facts, _ = follow(signed_in(event.organizer), "/feed/?page_size=2")

    assert [fact["id"] for fact in facts] == list(Fact.objects.order_by("pk").values_list("pk", flat=True))
    assert [fact["actor"]["kind"] for fact in facts[-1:]] == ["organizer"]
