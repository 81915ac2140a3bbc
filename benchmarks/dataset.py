"""Events by the million, made by PostgreSQL itself with one statement; the same number gives the same events."""

from typing import Any, Final

import psycopg

#: 1,000 organizers; 12 kinds of title in 50 cities; dates over six years around now, ten events a minute at most;
#: 2 % drafts, 3 % cancelled; every second event has a limit, and of those every twentieth is full; one title in 50,000
#: has a word that no other has. 200 registrations for each person, and everybody's at the event that is given.
PEOPLE: Final = """
INSERT INTO accounts_user (username, email, password, is_superuser, is_staff, is_active, first_name, last_name,
                           date_joined, email_verified, pending_email, timezone, token_epoch)
SELECT 'bench' || n, 'bench' || n || '@example.org', '!', false, false, true, '', '', now(), true, '', 'UTC', 0
FROM generate_series(1, 1000) AS n
"""
EVENTS: Final = """
INSERT INTO events_event (title, title_folded, description, date, timezone, location, location_folded, organizer_id,
                          capacity, waitlist, requires_approval, status, tags, seats_taken, waiting, queue_tail,
                          revision, created_at, updated_at)
SELECT title, lower(title), 'Come and see: ' || kind || ' number ' || n || ' for everybody who likes ' || topic || '.',
       date, 'Europe/Berlin', place, lower(place), organizer, capacity, n %% 3 = 0, n %% 7 = 0,
       CASE WHEN n %% 50 = 7 THEN 'draft' WHEN n %% 33 = 5 THEN 'cancelled' ELSE 'published' END,
       CASE WHEN n / 84 %% 10 = 0 THEN ARRAY[topic, 'free']
            WHEN n %% 1000 = 1 THEN ARRAY[topic, 'rare'] ELSE ARRAY[topic] END,
       CASE WHEN capacity IS NULL THEN n %% 40 WHEN n %% 40 = 1 THEN capacity ELSE n %% capacity END,
       0, 0, 0, made, made
FROM (
  SELECT n, kind, topic,
         kind || ' ' || topic || ' ' || n || CASE WHEN n %% 50000 = 3 THEN ' xyzzy' ELSE '' END AS title,
         'Hall ' || n %% 90 || ', City ' || chr(65 + n %% 26) || n %% 50 AS place,
         now() - interval '3 years' + (n::bigint * 7919 %% 3153600) * interval '1 minute' AS date,
         now() - n * interval '1 second' AS made,
         (SELECT min(id) FROM accounts_user WHERE username LIKE 'bench%%') + n %% 1000 AS organizer,
         CASE WHEN n %% 2 = 1 THEN 10 + n %% 90 END AS capacity
  FROM (
    SELECT n, (ARRAY['Workshop', 'Concert', 'Meetup', 'Lecture', 'Reading', 'Race', 'Market', 'Dinner', 'Film', 'Dance',
                     'Debate', 'Festival'])[1 + n %% 12] AS kind,
           (ARRAY['jazz', 'python', 'poetry', 'bread', 'climbing', 'robots', 'history'])[1 + n %% 7] AS topic
    FROM generate_series(1, %s) AS n
  ) AS numbers
) AS drawn
"""
REGISTRATIONS: Final = """
WITH people AS (SELECT id, row_number() OVER (ORDER BY id) AS n FROM accounts_user WHERE username LIKE 'bench%%'),
     events AS (SELECT min(id) AS first, count(*) AS number FROM events_event),
     chosen AS (
       SELECT first + (n * 37 + turn * 211) %% number AS event, id FROM people, events, generate_series(1, 200) AS turn
       UNION SELECT %s, id FROM people
     )
INSERT INTO events_registration (event_id, attendee_id, status, revision, registered_at, updated_at)
SELECT event, id, 'confirmed', 0, now(), now() FROM chosen
"""


def fill(connection: psycopg.Connection[tuple[Any, ...]], events: int) -> None:
    """Make people, events and registrations; the connection commits each statement."""
    connection.execute(PEOPLE.encode())
    connection.execute(EVENTS.encode(), [events])
    connection.execute(REGISTRATIONS.encode(), [known(connection)["attended"]])
    for table in ("accounts_user", "events_event", "events_registration"):
        connection.execute(f"VACUUM ANALYZE {table}".encode())


def known(connection: psycopg.Connection[tuple[Any, ...]]) -> dict[str, int]:
    """Ids to ask about: a public event, an organizer with registrations of their own, their event that all attend."""
    published = "FROM events_event WHERE status = 'published'"
    event, organizer = connection.execute(f"SELECT min(id), min(organizer_id) {published}".encode()).fetchone() or (
        0,
        0,
    )
    own = f"SELECT min(id) {published} AND organizer_id = %s"
    (attended,) = connection.execute(own.encode(), [organizer]).fetchone() or (0,)
    return {"event": event, "organizer": organizer, "attended": attended}
