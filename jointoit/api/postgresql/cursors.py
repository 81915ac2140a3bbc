"""Cursors for statements that are repeated by the thousand, on libpq itself.

An ordinary cursor of psycopg spends more on the way to PostgreSQL and back than such a statement spends there. This one
has what a statement with named parameters needs of PEP 249 and no more; how values are written and read is psycopg's.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import psycopg
from django.conf import settings
from psycopg.adapt import AdaptersMap, PyFormat, Transformer
from psycopg.errors import FeatureNotSupported, InvalidSqlStatementName, error_from_result
from psycopg.pq import DiagnosticField, ExecStatus, TransactionStatus
from psycopg.types.datetime import TimestamptzLoader

PARAMETER: Final = re.compile(r"%\((\w+)\)s|%%")
ENOUGH: Final = 3  # times that a statement comes in a row
MOST_KEPT: Final = 100  # statements of a connection; PostgreSQL holds some 100 KiB for each
DONE: Final = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)
#: "cached plan must not change result type", and a statement that is not there any more.
OUTDATED: Final = (FeatureNotSupported, InvalidSqlStatementName)


@lru_cache(maxsize=2000)
def numbered(query: str) -> tuple[bytes, tuple[str, ...]]:
    """The statement with `$1` for `%(name)s`, and the names in the order of their numbers."""
    names: dict[str, int] = {}

    def number(found: re.Match[str]) -> str:
        return f"${names.setdefault(found[1], len(names) + 1)}" if found[1] else "%"

    return PARAMETER.sub(number, query).encode(), tuple(names)


class Session:
    """What is known of one connection: how its values are written and read, and the names of what it has prepared."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        self.adapters = AdaptersMap(connection.adapters)
        # Django's reads each time in Python, to name the zone of the connection, which is UTC as here.
        self.adapters.register_loader("timestamptz", TimestamptzLoader)
        self.transformer = Transformer(self)
        self.names: dict[tuple[bytes, tuple[int, ...]], bytes] = {}
        self.prepared = 0  # so many names are used up
        self.outdated: list[bytes] = []  # names of what PostgreSQL may forget
        self.asked_last, self.times = b"", 0  # a statement's text, and how often it came in a row
        self.plans_anew = False  # what PostgreSQL was told to do with those that are prepared


def session_of(connection: psycopg.Connection[Any]) -> Session:
    """Kept with the connection."""
    kept: dict[str, Any] = vars(connection)
    if "jointoit_session" not in kept:
        kept["jointoit_session"] = Session(connection)
    return kept["jointoit_session"]  # type: ignore[no-any-return]


class StatementCursor:
    """Runs statements with named parameters.

    With `keeps_plan` PostgreSQL reads and plans a text once for each connection, whatever the values: for statements
    that have one good plan. Without, it plans with the values in sight, at every run, and reads the text once where the
    same is asked for several times in a row: to have PostgreSQL plan so costs as much as one reading.
    """

    def __init__(self, connection: psycopg.Connection[Any], *, keeps_plan: bool) -> None:
        self.session = session_of(connection)
        self.keeps_plan = keeps_plan

    def execute(self, query: str, params: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """Return the rows. Raises psycopg.Error, and KeyError for a parameter without a value."""
        text, names = numbered(query)
        connection, transformer = self.session.connection, self.session.transformer
        if not connection.autocommit and connection.pgconn.transaction_status == TransactionStatus.IDLE:
            connection.execute("")  # has psycopg begin the transaction that it thinks it is in
        given = [params[name] for name in names] if params else []
        values = transformer.dump_sequence(given, [PyFormat.AUTO] * len(given))
        types = transformer.types or ()
        run = self.run_prepared if self.is_prepared(text, types) else self.run_once
        result = run(text, values, types, transformer.formats)
        transformer.set_pgresult(result)
        rows = transformer.load_rows(0, result.ntuples, tuple)
        transformer.set_pgresult(None)
        return rows

    def is_prepared(self, text: bytes, types: tuple[int, ...]) -> bool:
        """Whether the statement is one that PostgreSQL knows by a name, or shall. Tells it how to plan such ones."""
        if settings.DATABASE_POOLER:  # another statement meets another session
            return False
        session = self.session
        session.times = session.times + 1 if session.asked_last == text else 1
        session.asked_last = text
        is_known = session.plans_anew and (text, types) in session.names
        pays = self.keeps_plan or session.times >= ENOUGH or is_known
        return pays and self.have_planned(anew=not self.keeps_plan)

    def have_planned(self, *, anew: bool) -> bool:
        """Whether PostgreSQL plans accordingly from now on.

        The end of a transaction may undo what is set in it, so it is not told there to plan anew. Where it does so
        though it was told not to, it takes longer and nothing is wrong.
        """
        session, pgconn = self.session, self.session.connection.pgconn
        if session.plans_anew == anew:
            return True
        if anew and pgconn.transaction_status != TransactionStatus.IDLE:
            return False
        checked(pgconn.exec_(b"SET plan_cache_mode TO force_custom_plan" if anew else b"RESET plan_cache_mode"))
        session.plans_anew = anew
        return True

    def run_once(self, text: bytes, values: Any, types: tuple[int, ...], formats: Any) -> Any:
        return checked(self.session.connection.pgconn.exec_params(text, values, types, formats))

    def run_prepared(self, text: bytes, values: Any, types: tuple[int, ...], formats: Any) -> Any:
        pgconn, names, key = self.session.connection.pgconn, self.session.names, (text, types)
        known = names.pop(key, None)
        if known is None:
            return checked(pgconn.exec_prepared(self.prepare(key), values, formats))
        names[key] = known  # behind all others: the one in front was not asked for longest
        try:
            return checked(pgconn.exec_prepared(known, values, formats))
        except OUTDATED:
            # A migration changed what the statement reads. Within a transaction, only its caller can begin anew.
            self.session.outdated.append(names.pop(key))
            if pgconn.transaction_status != TransactionStatus.IDLE:
                raise
            return checked(pgconn.exec_prepared(self.prepare(key), values, formats))

    def prepare(self, key: tuple[bytes, tuple[int, ...]]) -> bytes:
        session, pgconn = self.session, self.session.connection.pgconn
        session.prepared += 1
        name = b"jointoit_%d" % session.prepared
        checked(pgconn.prepare(name, *key))
        session.names[key] = name
        if len(session.names) > MOST_KEPT:
            session.outdated.append(session.names.pop(next(iter(session.names))))
        while session.outdated:
            pgconn.exec_(b"DEALLOCATE " + session.outdated.pop())
        return name


def checked(result: Any) -> Any:
    if result.status in DONE:
        return result
    if result.error_field(DiagnosticField.SQLSTATE) is None:  # said by libpq: there is no server any more
        raise psycopg.OperationalError(result.get_error_message())
    raise error_from_result(result)
