"""P25: killed senders lose nothing; a receiver that does not behave delays neither others nor the mail."""

import random
import time
from collections import Counter
from pathlib import Path

import pytest

from jointoit.mail.messages import Person, RegistrationConfirmed
from tests.chaos.people import promise
from tests.chaos.town import eventually
from tests.mail.samples import sample
from tests.webhooks.receiver import Receiver, drips, fine, floods, hangs, says

#: A webhook to each address, for all facts of one event.
SUBSCRIBE = """
from datetime import timedelta
from django.utils import timezone
from jointoit.accounts.models import User
from jointoit.events.models import Event
from jointoit.webhooks import fan_out, signing
from jointoit.webhooks.models import Webhook
owner = User.objects.create(username="owner", email="owner@example.org", password="!")
event = Event.objects.create(title="Fair", location="Here", date=timezone.now() + timedelta(days=9), organizer=owner)
for url in {urls}:
    Webhook.objects.create(owner=owner, url=url, types=["event.changed"], seed=signing.new_seed(),
                           created_at=timezone.now())
fan_out.begin()
print(event.pk)
"""
FACTS = """
    INSERT INTO journal_fact (type, at, actor_kind, event_id)
    SELECT 'event.changed', clock_timestamp(), 'system', %(event)s FROM generate_series(1, %(number)s)
"""
#: Only a development lets webhooks lead to this machine.
VARIABLES = {"DEBUG": "true", "WEBHOOK_TRUSTED_NETWORKS": "127.0.0.0/8", "LOG_LEVEL": "ERROR"}


@pytest.fixture
def subscribe(found):
    """A town, and an event whose facts go to these addresses."""

    def subscribe(*urls):
        town = found()
        script = SUBSCRIBE.format(urls=list(urls))
        said = town.do("shell", "--verbosity=0", "--no-imports", "-c", script)
        return town, int(said.split()[-1])

    return subscribe


def states(machines):
    return dict(machines.query("SELECT state, count(*) FROM webhooks_message GROUP BY state"))


def test_a_killed_sender_loses_no_message(subscribe, machines, long, seed):
    """Killed at a random message; the next sender waits for the lease of the dead one."""
    kills, speed, each = (200, 60, 40) if long else (4, 60, 40)
    chance, left, sweeper, killed = random.Random(seed), [0], None, []

    def answer(handler, received):
        if sweeper and sweeper.process.poll() is None:
            left[0] -= 1
            if left[0] == 0:
                sweeper.process.kill()
                killed.append(received.id)
        fine(handler, received)

    with Receiver(answer) as sink:
        town, event = subscribe(sink.url)
        for number in range(kills):
            machines.query(FACTS, {"event": event, "number": each})
            left[0] = chance.randint(1, each)
            sweeper = town.run("sweep", MAIL_CLOCK_SPEED=str(speed), **VARIABLES)
            eventually(lambda number=number: len(killed) > number, what="the sender is killed")
            sweeper.process.wait()
        left[0] = 10**9
        town.run("sweep", MAIL_CLOCK_SPEED=str(speed), **VARIABLES)
        facts = machines.query("SELECT id FROM journal_fact")
        eventually(lambda: states(machines) == {"sent": len(facts)}, what="all is sent")

        copies = Counter(received.message["data"]["id"] for received in sink.received)
    again = sum(copies.values()) - len(copies)
    print(f"P25: {len(facts)} facts, {len(killed)} kills, {len(copies)} arrived, {again} of them again")
    assert set(copies) == {pk for (pk,) in facts}
    assert {received.id for received in sink.received} == {
        f"msg_{message.hex}" for (message,) in machines.query("SELECT message_id FROM webhooks_message")
    }
    assert again <= kills * each


def resident(pid):
    """Megabytes of memory."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4 / 1024


def run(subscribe, machines, urls, well, *, seconds, rate):
    """Facts at a steady pace; returns the delays of those that arrived well, when the mail was out, and the growth."""
    town, event = subscribe(*urls)
    sweeper = town.run("sweep", WEBHOOK_THREADS="8", **VARIABLES)
    promise(machines, [(sample(RegistrationConfirmed), "test:first")])
    machines.query(FACTS, {"event": event, "number": 1})
    eventually(lambda: well.received and town.post.arrivals, what="the first message and the first mail")
    time.sleep(1.0)  # everything that is loaded once is
    before = resident(sweeper.process.pid)
    mails = 100
    to = [Person(address=f"p{n}@example.org", name="", timezone="UTC") for n in range(mails)]
    promise(machines, [(sample(RegistrationConfirmed, to=each), f"test:{each.address}") for each in to])
    began = time.monotonic()
    told = []
    for number in range(seconds * rate):
        time.sleep(max(0.0, began + number / rate - time.monotonic()))
        machines.query(FACTS, {"event": event, "number": 1})
        told.append(time.monotonic())
    town.settle()
    mailed = max(arrival.at for arrival in town.post.arrivals) - time.time() + time.monotonic() - began
    eventually(lambda: len({each.id for each in well.received}) > seconds * rate, what="all arrived")
    arrived = {each.id: each.at for each in reversed(well.received)}
    delays = sorted(at - when for at, when in zip(sorted(arrived.values())[1:], told, strict=True))
    grown = resident(sweeper.process.pid) - before
    sweeper.end()
    return delays, mailed, grown, before


def test_receivers_that_do_not_behave_delay_neither_others_nor_the_mail(subscribe, machines, long):
    seconds, rate = (60, 20) if long else (4, 20)
    figures = {}
    for name, ways in (("alone", []), ("beside four", [hangs(60), says(500), drips, floods])):
        bad = [Receiver(way) for way in ways]
        with Receiver() as well:
            for each in bad:
                each.__enter__()
            delays, mailed, grown, before = run(
                subscribe, machines, [*(each.url for each in bad), well.url], well, seconds=seconds, rate=rate
            )
            for each in bad:
                each.shutdown()
                each.server_close()
        p50, p99 = delays[len(delays) // 2], delays[int(len(delays) * 0.99) - 1]
        figures[name] = p99
        print(f"P25: {name}: {len(delays)} messages, p50 {p50 * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms, "
              f"100 mails out after {mailed:.1f} s, memory {grown:+.1f} MB of {before:.0f}")  # fmt: skip
        assert len(delays) == seconds * rate
        assert grown < 40
    if long:
        assert figures["beside four"] < figures["alone"] + 1.0
