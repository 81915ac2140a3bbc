"""An event with many attendees is moved: how long its transaction takes, and how much memory. Servers of its own.

`python -m benchmarks.outbox.moved 50000`
"""

import argparse

from benchmarks.outbox.__main__ import machines

PEOPLE = """
INSERT INTO accounts_user (username, email, password, first_name, last_name, timezone, is_superuser, is_staff,
                           is_active, email_verified, pending_email, date_joined, token_epoch)
SELECT 'guest' || n, 'guest' || n || '@example.org', '!', 'Guest', 'Number ' || n, 'Europe/Berlin', false, false,
       true, true, '', now(), 0 FROM generate_series(0, %s) AS n
"""
SEATS = """
INSERT INTO events_registration (event_id, attendee_id, status, revision, registered_at, updated_at)
SELECT %s, id, 'confirmed', 1, now(), now() FROM accounts_user WHERE username <> 'guest0'
"""
MOVE = """
import resource, sys, time
from datetime import timedelta
from django.db import connection
from django.utils import timezone
from jointoit.accounts.callers import SERVICE
from jointoit.accounts.models import User
from jointoit.events import scheduling
from jointoit.events.models import Event
from jointoit.mail.models import OutboxMail
people, now = {people}, timezone.now()
with connection.cursor() as cursor:
    cursor.execute({PEOPLE!r}, [people])
    event = Event.objects.create(title="Festival", location="Tempelhofer Feld", date=now + timedelta(days=30),
                                 organizer=User.objects.get(username="guest0"), seats_taken=people)
    cursor.execute({SEATS!r}, [event.pk])
    cursor.execute("ANALYZE")
def memory():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
for round in range(3):
    before, began = memory(), time.perf_counter()
    scheduling.change(event_id=event.pk, caller=SERVICE, fields={{"date": now + timedelta(days=31 + round)}}, now=now)
    took = time.perf_counter() - began
    waiting = OutboxMail.objects.filter(state="pending").count()
    print(f"{{people}} attendees told in {{took:.2f}} s, one transaction; memory {{before}} MB before, "
          f"{{memory()}} MB at most; {{waiting}} mails wait", flush=True)
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.outbox.moved", description=__doc__)
    parser.add_argument("people", type=int, nargs="?", default=50_000)
    people = parser.parse_args().people
    with machines() as bench:
        bench.python("-m", "jointoit", "migrate", "--verbosity=0")
        bench.shell(MOVE.format(people=people, PEOPLE=PEOPLE, SEATS=SEATS))


if __name__ == "__main__":
    main()
