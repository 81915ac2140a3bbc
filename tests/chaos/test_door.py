"""Devices that scan and resend while web processes are killed: what was acknowledged is there, once."""

import random
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
from django.utils import timezone

from jointoit.accounts import jwt
from jointoit.accounts.models import User
from jointoit.tickets import tokens
from tests.chaos.people import settle_in

DEVICES = 20
RESPAWN = (
    6.0  # seconds: a web process that dies again within 5.5 is taken for one that cannot live, and the server ends
)
OPEN = "UPDATE events_event SET date = now() + interval '1 hour'"
SEATS = """
    INSERT INTO events_registration (event_id, attendee_id, status, revision, registered_at, updated_at)
    SELECT %(event)s, id, 'confirmed', 0, now(), now() FROM accounts_user WHERE id <> %(owner)s ORDER BY id RETURNING id
"""
COUNTED = "UPDATE events_event SET seats_taken = (SELECT count(*) FROM events_registration)"
TOLD = """
    INSERT INTO journal_fact (type, at, actor_kind, event_id, registration_id, after)
    SELECT 'registration.confirmed', now(), 'system', event_id, id, '{"status": "confirmed"}' FROM events_registration
"""
ROWS = "SELECT id::text, result, reason, registration_id FROM checkin_scan"
#: What the seats above were not given by the service for.
NOT_OF_THE_DOOR = "no mail was ever promised"


class Device:
    """Scans tickets, one after the other until told to stop, each until it is acknowledged, and then once more."""

    def __init__(self, url, token, scans):
        self.url, self.headers, self.scans = url, {"Authorization": f"Bearer {token}"}, scans
        self.told, self.broken, self.different, self.stop = {}, 0, 0, False

    def run(self):
        with httpx.Client(timeout=30) as client:
            while not self.stop:
                scan = next(self.scans)
                first = self.send(client, scan)
                again = self.send(client, scan)
                self.told[scan["id"]] = first.json()
                self.different += first.content != again.content
        return self

    def send(self, client, scan):
        while True:
            try:
                answer = client.post(self.url, json=scan, headers=self.headers)
            except httpx.HTTPError:
                self.broken += 1
                time.sleep(0.05)
                continue
            if answer.status_code in (200, 201):
                return answer
            assert answer.status_code == 503, answer.text
            time.sleep(0.1)


def test_no_acknowledged_scan_is_lost_or_doubled_when_web_processes_are_killed(found, machines, long, seed):
    guests, kills = (5_000, 60) if long else (200, 2)
    town, chance = found(), random.Random(seed)
    event, people = settle_in(town, people=guests + 1, seats=guests)
    owner = people[0]
    seats = [pk for (pk,) in machines.query(SEATS, {"event": event, "owner": owner})]
    for statement in (OPEN, COUNTED, TOLD):
        machines.query(statement)
    token = jwt.AccessToken.issue(User(pk=owner, token_epoch=0), now=timezone.now())
    web = town.serve(WEB_WORKERS="2")
    door = f"{town.api}/events/{event}/checkin/scans/"
    devices = [Device(door, token, scans_of(event, seats, chance.random())) for _ in range(DEVICES)]

    with ThreadPoolExecutor(DEVICES) as pool:
        running = [pool.submit(device.run) for device in devices]
        for _ in range(kills):
            time.sleep(chance.uniform(0.2, 1.0))
            web.kill_child()
            time.sleep(RESPAWN)
        for device in devices:
            device.stop = True
        for one in running:
            one.result()

    told = {pk: scan for device in devices for pk, scan in device.told.items()}
    rows = {pk: (result, reason, registration) for pk, result, reason, registration in machines.query(ROWS)}
    results = Counter(scan["result"] for scan in told.values())
    broken, different = (sum(getattr(device, name) for device in devices) for name in ("broken", "different"))
    print(f"Door: {len(told)} scans of {len(seats)} tickets by {DEVICES} devices, {kills} kill -9, {broken} broken "
          f"connections, {dict(results)}")  # fmt: skip
    assert broken >= kills
    assert different == 0
    assert rows == {pk: (scan["result"], scan["reason"], scan["registration"]) for pk, scan in told.items()}
    assert results["admitted"] == len({scan["registration"] for scan in told.values()})
    said = [line for line in violations(town) if NOT_OF_THE_DOOR not in line]
    assert said == []


def scans_of(event, seats, seed):
    """Of any of the tickets, without end."""
    chance = random.Random(seed)
    while True:
        token = tokens.sign(tokens.Ticket(event, chance.choice(seats), 1))
        yield {"id": str(uuid.uuid4()), "token": token, "gate": "North"}


def violations(town):
    """What `check_invariants` has to say."""
    code = "from django.utils import timezone; from jointoit.events.invariants import violations as v"
    return town.do(
        "shell", "--verbosity=0", "--no-imports", "-c", f"{code}\nfor line in v(now=timezone.now()): print(line)"
    ).splitlines()
