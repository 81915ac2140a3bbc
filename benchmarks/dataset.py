"""Events by the million, made by PostgreSQL itself with one statement; the same number gives the same events."""

from typing import Final

#: 1,000 organizers; 12 kinds of title in 50 cities; dates over six years around now, ten events a minute at most;
#: 2 % drafts, 3 % cancelled; every second event has a limit, and of those every twentieth is full; one title in 50,000
#: has a word that no other has.
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
