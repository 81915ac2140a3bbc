"""P5, P6, P7: killed senders, a mail server that is away for a day, mails that cannot be sent."""

import random
import time
from collections import Counter
from datetime import timedelta

import pytest

from jointoit.mail.messages import EventReminder, PasswordReset, Person, RegistrationConfirmed
from tests.chaos.conftest import LONG
from tests.chaos.people import promise
from tests.chaos.town import PATIENCE, eventually
from tests.mail.samples import sample


def to(name):
    return Person(address=f"{name}@example.org", name="", timezone="UTC")


def seats(number, first=0, kind=RegistrationConfirmed):
    """Mails to as many people, with their keys."""
    names = [f"{kind.kind}{n}" for n in range(first, first + number)]
    return [(sample(kind, to=to(name)), f"test:{name}") for name in names]


def test_a_killed_sender_loses_nothing_and_doubles_at_most_what_it_held(found, machines, long, seed):
    """Killed at a random point between claim and 250; the next sender waits for the lease of the dead one."""
    kills, speed = (200, 20) if long else (6, 20)
    town = found()
    chance = random.Random(seed)
    promise(machines, seats(kills * 5), speed=speed)
    killed, sweeper = [], None
    points = ["MAIL", "DATA", "taken", "taken"]

    def kill_at(point, after):
        left = [after]

        def watch(command):
            if command == point and sweeper.process.poll() is None:
                left[0] -= 1
                if left[0] == 0:
                    sweeper.process.kill()
                    killed.append((point, time.time()))

        return watch

    for number in range(kills):
        town.post.watch = kill_at(chance.choice(points), chance.randint(1, 4))
        sweeper = town.run("sweep", MAIL_CLOCK_SPEED=str(speed))
        eventually(lambda number=number: len(killed) > number, what="the sender is killed")
        sweeper.process.wait()
    town.post.watch = lambda command: None
    town.run("sweep", MAIL_CLOCK_SPEED=str(speed))
    town.settle()

    copies = town.post.copies
    again = [second_copy_after(town, at) for point, at in killed if point == "taken"]
    print(f"P5: {kills * 5} mails, {len(killed)} kills {dict(Counter(point for point, _ in killed))}, "
          f"{len(copies)} arrived, {town.post.doubles} doubled, states {town.states()}, "
          f"longest until the second copy {max(again, default=0):.1f} s at speed {speed}")  # fmt: skip
    assert len(killed) == kills
    assert town.states() == {"sent": kills * 5}
    assert set(copies) == {mid for (mid,) in machines.query("SELECT message_id FROM mail_outboxmail")}
    assert town.post.doubles <= sum(point != "MAIL" for point, _ in killed)


def second_copy_after(town, at):
    """How many seconds after the kill the mail that was in flight came again."""
    in_flight = max((a for a in town.post.arrivals if a.at <= at), key=lambda arrival: arrival.at)
    later = [a.at for a in town.post.arrivals if a.message_id == in_flight.message_id and a.at > at]
    return min(later, default=at) - at


def test_a_killed_sender_is_replaced_after_its_lease(found, machines, long):
    """At the pace of production, which the short form does not have the time for, within 125 seconds."""
    speed, limit = (1, 125.0) if long else (20, PATIENCE)
    town = found()
    promise(machines, seats(1), speed=speed)
    first = town.run("sweep", MAIL_CLOCK_SPEED=str(speed))
    town.post.watch = lambda command: first.process.kill() if command == "taken" else None
    eventually(lambda: town.post.arrivals and first.process.poll() is not None, what="the first sender is killed")
    town.post.watch = lambda command: None
    town.run("sweep", MAIL_CLOCK_SPEED=str(speed))

    town.settle(patience=limit)

    first_copy, second_copy = town.post.arrivals
    print(f"P5: sent again {second_copy.at - first_copy.at:.1f} s after the kill at speed {speed}")
    assert first_copy.message_id == second_copy.message_id


def test_a_day_without_a_mail_server(found, machines, long):
    """The clock runs 720 times as fast, in the long form: a minute lasts 83 ms, a day two minutes."""
    speed, hours, mails = (720, 24, 2000) if long else (360, 1, 100)
    town = found()
    town.post.ill = "421 4.3.2 Closed for today"
    minute = 60 / speed
    promise(machines, seats(mails), speed=speed)
    promise(machines, seats(30, kind=EventReminder), speed=speed, expires_in=timedelta(seconds=hours * 30 * minute))
    town.run("sweep", MAIL_CLOCK_SPEED=str(speed), MAIL_RATE="100")
    eventually(lambda: town.post.connections, what="the first connection")
    began, connections = time.monotonic(), town.post.connections
    time.sleep(hours * 30 * minute)
    promise(machines, [(sample(PasswordReset, to=to("urgent")), "test:urgent")], speed=speed)
    time.sleep(hours * 30 * minute)
    minutes, tried = (time.monotonic() - began) / minute, town.post.connections - connections
    assert town.states() == {"pending": mails + 1, "expired": 30}

    town.post.ill = ""
    opened = time.monotonic()
    town.settle()
    drained = time.monotonic() - opened

    order = [arrival.recipient for arrival in town.post.arrivals]
    print(f"P6: {minutes / 60:.1f} h away, {tried} connections in {minutes:.0f} minutes, then {len(order)} mails in "
          f"{drained:.1f} s at MAIL_RATE 100, states {town.states()}, doubled {town.post.doubles}")  # fmt: skip
    assert tried <= minutes + 1
    assert town.states() == {"expired": 30, "sent": mails + 1}
    assert "urgent@example.org" in order[:2]  # the probe may have been claimed just before
    assert town.post.doubles == 0
    assert machines.query("SELECT max(attempt) FROM mail_outboxmail WHERE state = 'sent'") == [(1,)]
    assert drained >= mails / 100 * 0.9


@pytest.mark.skipif(not LONG, reason="In short: five days in tests/mail/test_send_control.py.")
def test_a_mail_that_could_not_be_sent_for_five_days_is_given_up(found, machines):
    speed = 17_280  # five days last 25 seconds; faster, a lease would end before its mails are looked at
    town = found()
    town.post.ill = "421 4.3.2 Closed"
    promise(machines, seats(3), speed=speed)
    town.run("sweep", MAIL_CLOCK_SPEED=str(speed))

    town.settle()

    answers = machines.query("SELECT DISTINCT state, left(last_answer, 8) FROM mail_outboxmail")
    assert answers == [("dead", "Gave up.")]


def test_poisonous_mails_delay_nobody_else(found, machines, long):
    """Five that the server refuses for good, five that cannot even be written, among many."""
    mails = 990 if long else 290
    town = found()
    good, refused, broken = seats(mails), seats(5, first=2000), seats(5, first=3000)
    for message, _ in refused:
        town.post.refuses[message.to.address] = "550 5.1.1 No such user"
    for pairs in (broken, refused, good):
        promise(machines, pairs, speed=60)
    machines.query("UPDATE mail_outboxmail SET facts = facts - 'event' WHERE id <= 5")
    town.run("sweep", MAIL_CLOCK_SPEED="60")

    town.settle()

    dead = machines.query(
        "SELECT attempt + failures, count(*), min(last_answer) FROM mail_outboxmail WHERE state = 'dead' "
        "GROUP BY 1 ORDER BY 1"
    )
    last_good = machines.query("SELECT max(settled_at) FROM mail_outboxmail WHERE state = 'sent' AND attempt = 1")
    last_dead = machines.query("SELECT max(settled_at) FROM mail_outboxmail WHERE state = 'dead'")
    print(f"P7: states {town.states()}, dead after tries {dead}, doubled {town.post.doubles}")
    assert town.states() == {"dead": 10, "sent": mails}
    assert [(tries, number) for tries, number, _ in dead] == [(1, 5), (3, 5)]
    assert all(reason for _, _, reason in dead)
    assert town.post.doubles == 0
    assert last_good < last_dead
