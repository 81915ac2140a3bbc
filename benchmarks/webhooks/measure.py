"""What `benchmarks.webhooks` measures, in a process whose environment names the servers."""

import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import django
import urllib3
from django.db import connection
from django.utils import timezone
from django.utils.module_loading import import_string

FACTS = """
    INSERT INTO journal_fact (type, at, actor_kind, event_id, public, transaction)
    SELECT 'event.changed', now(), 'owner', %s, true, 1 FROM generate_series(1, %s)
"""
NEW = """
    INSERT INTO journal_fact (type, at, actor_kind, event_id)
    SELECT 'event.changed', now(), 'owner', %s FROM generate_series(1, %s)
"""


def say(text: str) -> None:
    print(text, flush=True)


def execute(sql: str, values: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


# ── Messages a second ──


def newest() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM webhooks_message")
        return int(cursor.fetchone()[0])


def sent(after: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM webhooks_message WHERE id > %s AND state = 'sent'", [after])
        return int(cursor.fetchone()[0])


def ours(event: int, messages: int) -> float:
    """Facts become messages, and these are posted, by one sender, until every one is settled."""
    dispatcher = import_string("jointoit.webhooks.delivery.Dispatcher")
    ended, before = threading.Event(), newest()
    execute(NEW, [event, messages])
    began = time.monotonic()
    thread = threading.Thread(target=dispatcher(clock=timezone.now, stop=ended.is_set).run)
    thread.start()
    while sent(before) < messages:
        time.sleep(0.1)
    took = time.monotonic() - began
    ended.set()
    thread.join()
    return messages / took


def bare(port: int, body: bytes, messages: int) -> float:
    headers = import_string("jointoit.webhooks.signing.headers")
    pool = urllib3.HTTPConnectionPool("127.0.0.1", port, maxsize=1)
    began = time.monotonic()
    for number in range(messages):
        signed = headers(f"msg_{number:032x}", body, seeds=["seed"], timestamp=int(time.time()))
        pool.request("POST", "/hooks", body=body, headers={"content-type": "application/json", **signed})
    took = time.monotonic() - began
    pool.close()
    return messages / took


def messages_a_second(event: int, owner: int, messages: int, rounds: int) -> None:
    words = [sys.executable, "-m", "benchmarks.webhooks.sink"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as sink:
        assert sink.stdout
        port = int(sink.stdout.readline())
        webhook = import_string("jointoit.webhooks.models.Webhook").objects.create(
            owner_id=owner, url=f"http://127.0.0.1:{port}/hooks", types=["event.changed"], seed="seed",
            created_at=timezone.now(),
        )  # fmt: skip
        import_string("jointoit.webhooks.fan_out.begin")()
        ours(event, 200)  # everything that is loaded once is
        body = webhook.messages.first().body.encode()
        figures: dict[str, list[float]] = {"bare": [], "ours": []}
        for _ in range(rounds):
            figures["bare"].append(bare(port, body, messages))
            figures["ours"].append(ours(event, messages))
        sink.terminate()
    for name, each in figures.items():
        say(f"{name}: {statistics.median(each):.0f} messages/s ({min(each):.0f}–{max(each):.0f})")
    say(f"ratio {statistics.median(figures['ours']) / statistics.median(figures['bare']):.2f} (aim 0.5)")


# ── The feed ──


def feed(event: int, owner: int, facts: int) -> None:
    page, cursor_of = import_string("jointoit.events.feed.page"), import_string("jointoit.journal.feed.Cursor")
    caller, user = import_string("jointoit.accounts.callers.Caller"), import_string("jointoit.accounts.models.User")
    execute(FACTS, [event, facts])
    execute("VACUUM ANALYZE journal_fact", [])
    first = page({"page_size": 1}, caller=caller()).next
    far = cursor_of(1, first.id + facts // 2, first.era, first.pruned).write()
    for name, who in (("anybody", caller()), ("its owner", caller(user.objects.get(pk=owner)))):
        places: dict[str, Callable[[], object]] = {
            "page 1": lambda who=who: page({}, caller=who),  # type: ignore[misc]
            f"page {facts // 2 // 20:,}": lambda who=who: page({"cursor": far}, caller=who),  # type: ignore[misc]
        }
        taken: dict[str, list[float]] = {place: [] for place in places}
        for number in range(600):
            for place, ask in places.items():
                began = time.perf_counter()
                ask()
                if number >= 100:
                    taken[place].append(time.perf_counter() - began)
        medians = [statistics.median(each) * 1000 for each in taken.values()]
        told = ", ".join(f"{place} {median:.2f} ms" for place, median in zip(taken, medians, strict=True))
        say(f"feed for {name}: {told}, ratio {medians[1] / medians[0]:.2f} (aim 1.2)")


def main() -> None:
    messages, rounds, facts = map(int, sys.argv[1:])
    django.setup()
    make_user = import_string("jointoit.accounts.models.User").objects.create
    owner = make_user(username="owner", email="owner@example.org", password="!")  # noqa: S106
    events = import_string("jointoit.events.models.Event").objects
    event, other = (
        events.create(title="Fair", location="Here", date=timezone.now(), organizer=owner).pk for _ in range(2)
    )
    messages_a_second(event, owner.pk, messages, rounds)
    feed(other, owner.pk, facts)


if __name__ == "__main__":
    main()
