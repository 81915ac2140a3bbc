"""Where a database is. A copy of it, restored from a dump or brought forward by a replica, is somewhere else."""

from typing import Final

#: Server and database.
HOME: Final = """(SELECT (SELECT system_identifier FROM pg_control_system()) || '/' || oid
           FROM pg_database WHERE datname = current_database())"""
#: And the time line, which begins anew where history was cut off (PostgreSQL, "Continuous Archiving"), a table, and the
#: transaction that wrote a row which nobody ever changes: no dump carries these along, restored in place or elsewhere.
HERE: Final = f"""concat_ws('/', {HOME}, left(pg_walfile_name(pg_current_wal_lsn()), 8),
           'django_migrations'::regclass::oid, (SELECT xmin FROM django_migrations ORDER BY id LIMIT 1))"""
