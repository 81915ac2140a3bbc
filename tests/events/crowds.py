"""People by the thousand, made by PostgreSQL itself."""

from typing import Final

from django.db import connection

from jointoit.events.models import Event

PEOPLE: Final = """
    INSERT INTO accounts_user (username, email, email_verified, pending_email, first_name, last_name, timezone,
                               password, is_staff, is_superuser, is_active, token_epoch, date_joined)
    SELECT name, name || '@example.org', true, '', 'Guest', name, 'UTC', '!', false, false, true, 0, now()
    FROM (SELECT 'guest' || %(event)s || 'x' || n AS name FROM generate_series(1, %(people)s) n) AS names
    RETURNING id
"""
#: The first `seats` are confirmed, the others wait, in the order of their ids.
REGISTRATIONS: Final = f"""
    WITH person AS ({PEOPLE}), numbered AS (SELECT id, row_number() OVER (ORDER BY id) - %(seats)s AS place FROM person)
    INSERT INTO events_registration (event_id, attendee_id, status, queue_number, revision, registered_at, updated_at)
    SELECT %(event)s, id, CASE WHEN place > 0 THEN 'waitlisted' ELSE 'confirmed' END,
           CASE WHEN place > 0 THEN place END, 0, now(), now()
    FROM numbered ORDER BY id
"""


def settle(event: Event, *, people: int) -> None:
    """Fill the event and its waiting list with new people."""
    seats = people if event.capacity is None else min(event.capacity, people)
    with connection.cursor() as cursor:
        cursor.execute(REGISTRATIONS, {"event": event.pk, "people": people, "seats": seats})
        cursor.execute("ANALYZE events_registration, accounts_user")
    event.seats_taken, event.waiting = seats, people - seats
    event.queue_tail = event.waiting
    event.save()
