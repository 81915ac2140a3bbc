"""P1 and P4: people register while what carries the service is killed and frozen around them."""

import time
from collections import Counter

from tests.chaos.people import Rush, settle_in
from tests.chaos.town import eventually

LATENESS = "SELECT extract(epoch FROM max(settled_at - created_at)) FROM mail_outboxmail"


def test_nobody_notices_that_redis_is_away_or_frozen(found, machines, long):
    town = found()
    per_phase = 300 if long else 25
    event, people = settle_in(town, people=4 * per_phase, seats=10)
    town.serve()
    town.run("work")
    town.run("sweep")
    rush = Rush(town, event, at_once=4)
    rush.run(people[:per_phase])  # everything is warm
    tallies = {"here": rush.run(people[per_phase : 2 * per_phase])}
    machines.kill_redis()
    tallies["away"] = rush.run(people[2 * per_phase : 3 * per_phase])
    machines.start_redis()
    machines.freeze_redis()
    tallies["frozen"] = rush.run(people[3 * per_phase :])

    town.settle(patience=200)  # longer than a lease
    machines.thaw_redis()

    [(late,)] = machines.query(LATENESS)
    for phase, tally in tallies.items():
        print(f"P4: Redis {phase}: {tally.statuses}, p50 {1000 * tally.percentile(0.5):.0f} ms, "
              f"p99 {1000 * tally.percentile(0.99):.0f} ms")  # fmt: skip
    print(f"P4: states {town.states()}, the latest mail {late:.1f} s after its commit, doubled {town.post.doubles}")
    assert [tally.statuses for tally in tallies.values()] == [{201: per_phase}] * 3
    assert town.states() == {"sent": 4 * per_phase}
    assert town.post.doubles == 0
    if long:
        assert late < 10
        slack = tallies["here"].percentile(0.99) + 0.1
        assert max(tally.percentile(0.99) for tally in tallies.values()) <= slack


def test_seats_and_mails_are_exact_while_everything_is_killed(found, machines, long):
    people, seats = (10_000, 500) if long else (1_000, 50)
    town = found(drop_share=0.05)
    event, everybody = settle_in(town, people=people, seats=seats)
    speed = {"MAIL_CLOCK_SPEED": "20"}
    web, worker, sweeper = town.serve(**speed), town.run("work", **speed), town.run("sweep", **speed)
    killed_senders = 0

    def kill_all_around(tally):
        nonlocal killed_senders

        def at(share):
            eventually(
                lambda: len(tally.told) >= share * people, patience=1200 if long else 200, what=f"{share:.0%} are told"
            )

        at(0.05)
        web.kill_child()
        at(0.15)
        worker.kill_child()
        killed_senders += 1
        at(0.25)
        machines.kill_redis()
        at(0.35)
        machines.start_redis()
        at(0.45)
        machines.crash_postgres()
        time.sleep(1)
        machines.start_postgres()
        at(0.55)
        sweeper.kill()
        sweeper.start()
        killed_senders += 1
        at(0.65)
        town.post.ill = "421 4.3.2 Busy"
        at(0.75)
        town.post.ill = ""
        town.post.close()
        at(0.85)
        town.post.open()
        worker.kill()
        worker.start()
        killed_senders += 2  # it has two processes

    tally = Rush(town, event, at_once=64).run(everybody, meanwhile=kill_all_around)
    town.settle(patience=1200 if long else 200)

    rows = dict(machines.query("SELECT id, status FROM events_registration"))
    promised = {mid for (mid,) in machines.query("SELECT message_id FROM mail_outboxmail")}
    statuses, copies, doubles = Counter(rows.values()), town.post.copies, town.post.doubles
    missing = [told for told in tally.told.values() if rows.get(told[0]) != told[1]]
    print(f"P1: {people} people, {seats} seats: {dict(statuses)}, answers {tally.statuses}, {tally.broken} broken "
          f"connections, acknowledged but missing {len(missing)}, mails {town.states()}, lost "
          f"{len(promised - set(copies))}, copies doubled on the wire {doubles} (injected drops {town.post.dropped}, "
          f"killed senders {killed_senders})")  # fmt: skip
    assert statuses == {"confirmed": seats, "waitlisted": people - seats}
    assert len(tally.told) == people
    assert missing == []
    assert town.states() == {"sent": people}
    assert promised == set(copies)
    assert doubles <= town.post.dropped + killed_senders
    assert town.do("check_invariants")
