"""Two columns that the database keeps by itself: what `search` looks in, and whether an event is full.

They are no fields of the model: rows are read and saved without them, by the code of today and that of yesterday.
Triggers fill them, because a generated column would rewrite the table under a lock that keeps everybody out. `is_full`
is a column, so that an index can know full events while most changes of `seats_taken` still touch no index (HOT).
"""

from django.contrib.postgres.operations import TrigramExtension, UnaccentExtension
from django.db import migrations

#: unaccent() depends on a dictionary that somebody could replace, so PostgreSQL calls it STABLE; nobody does. Names
#: are qualified: a restore runs with an empty search_path.
PLAIN_TEXT = """
DO $do$
DECLARE place text := (
  SELECT quote_ident(nspname) FROM pg_extension JOIN pg_namespace space ON space.oid = extnamespace
  WHERE extname = 'unaccent'
);
BEGIN
  EXECUTE format($body$
    CREATE FUNCTION events_plain_text(value text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN translate(lower(%s.unaccent('%s.unaccent'::regdictionary, normalize(value, NFKC))), 'ς', 'σ')
  $body$, place, place);
END
$do$
"""

WORDS = """
CREATE FUNCTION events_keep_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.words := setweight(to_tsvector('simple', events_plain_text(NEW.title_folded)), 'A')
    || setweight(to_tsvector('simple', events_plain_text(NEW.location_folded)), 'B')
    || setweight(to_tsvector('simple', events_plain_text(NEW.description)), 'C');
  RETURN NEW;
END
$$;
CREATE TRIGGER keep_words BEFORE INSERT OR UPDATE OF title_folded, location_folded, description ON events_event
FOR EACH ROW EXECUTE FUNCTION events_keep_words();
"""

FULL = """
CREATE FUNCTION events_keep_full() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.is_full := COALESCE(NEW.seats_taken >= NEW.capacity, false);
  RETURN NEW;
END
$$;
CREATE TRIGGER keep_full BEFORE INSERT OR UPDATE OF capacity, seats_taken ON events_event
FOR EACH ROW EXECUTE FUNCTION events_keep_full();
"""


class Migration(migrations.Migration):
    dependencies = [("events", "0001_initial")]

    operations = [
        UnaccentExtension(),
        TrigramExtension(),
        migrations.RunSQL(PLAIN_TEXT, "DROP FUNCTION events_plain_text(text)"),
        migrations.RunSQL(
            "ALTER TABLE events_event ADD COLUMN words tsvector, ADD COLUMN is_full boolean",
            "ALTER TABLE events_event DROP words, DROP is_full",
        ),
        migrations.RunSQL(WORDS, "DROP TRIGGER keep_words ON events_event; DROP FUNCTION events_keep_words()"),
        migrations.RunSQL(FULL, "DROP TRIGGER keep_full ON events_event; DROP FUNCTION events_keep_full()"),
    ]
