"""The table that `plain_reads` reads: our rows, with the indexes that Django makes by itself."""

from typing import Final

COPY: Final = """
DROP TABLE IF EXISTS plain_event;
CREATE TABLE plain_event AS SELECT * FROM events_event;
ALTER TABLE plain_event DROP words, DROP is_full, DROP title_folded, DROP location_folded, ADD PRIMARY KEY (id);
CREATE INDEX ON plain_event (organizer_id)
"""
