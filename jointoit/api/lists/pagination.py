"""Lists in pages that hold still: a cursor names the row at the edge, not a count of rows (keyset pagination).

Rows that come or go meanwhile shift nothing: no row is shown twice, none that was there is left out, and page 10,000
costs what page 1 costs when an index has the columns of the order.
"""

import hashlib
import json
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.conf import settings
from django.core import signing
from django.http import HttpResponse
from rest_framework.pagination import BasePagination
from rest_framework.request import Request

from jointoit.api.fields import ChoiceField
from jointoit.api.http.rendering import JSONResponse
from jointoit.api.lists import parameters, replica
from jointoit.api.lists.parameters import ParameterSerializer, TextParameter, WholeNumberParameter
from jointoit.api.lists.prepared import PreparedQuery, Row
from jointoit.api.problems.validation import InvalidParameter

if TYPE_CHECKING:  # REST framework's views import this module through the settings
    from rest_framework.views import APIView

DEFAULT_SIZE = 20
LARGEST_SIZE = 100
#: The characters of a cursor are those of base64url and the dot: nothing in a link needs escaping.
SIGNER = signing.Signer(salt="jointoit.api.lists.pagination", sep=".")


class PageParameters(ParameterSerializer):
    page_size = WholeNumberParameter(
        min_value=1, max_value=LARGEST_SIZE, help_text=f"Rows on a page; {DEFAULT_SIZE} unless given."
    )
    cursor = TextParameter(max_length=8192, help_text="Taken from `next` or `previous`; opaque and signed.")
    count = ChoiceField(choices=["exact"], required=False, help_text="Adds `count`, at the cost of counting.")


@dataclass(frozen=True)
class Key:
    """A column that a list is sorted by, not null: its name in the rows, its SQL, and its type in PostgreSQL."""

    name: str
    sql: str
    kind: str
    descending: bool = False

    def reversed(self) -> "Key":
        return replace(self, descending=not self.descending)

    def in_order(self, sql: str) -> str:
        return f"{sql} DESC" if self.descending else sql

    @property
    def value(self) -> str:
        """Its value in the row at the edge, among the values of the statement."""
        return f"%(edge_{self.name})s::{self.kind}"


@dataclass(frozen=True, eq=False)
class ListQuery:
    """All rows of a list in SQL, made once for all requests that ask alike. The last key settles ties.

    Columns that are `hidden` only say where a page ends. `prepare` as in PreparedQuery: whether one plan is good
    whatever the values. `parts` are conditions of which each row meets exactly one, where each has an index and
    their OR has none.
    """

    columns: str
    tables: str
    conditions: tuple[str, ...]
    order: tuple[Key, ...]
    hidden: tuple[str, ...] = ()
    prepare: bool = True
    parts: tuple[str, ...] = ("true",)


@dataclass(frozen=True)
class Listing:
    """A list as one request asks for it. `in_links` are parameters that its links have and the request had not.

    What `may_lag` is read from a replica, where there is one.
    """

    query: ListQuery
    values: Mapping[str, Any]
    in_links: Mapping[str, str] = field(default_factory=dict)
    may_lag: bool = False


@dataclass(frozen=True)
class Cursor:
    """Where a page begins: after the row with the values `edge`, or before it; without an edge at either end."""

    backward: bool = False
    edge: tuple[Any, ...] | None = None


class KeysetPagination(BasePagination):
    """Pages of a Listing."""

    parameters_class: type[ParameterSerializer] = PageParameters
    default_size, largest_size = DEFAULT_SIZE, LARGEST_SIZE

    def paginate_queryset(self, listing: Listing, request: Request, view: "APIView | None" = None) -> list[Row]:  # type: ignore[override]
        self.request, self.listing, self.view = request, listing, view
        asked = parameters.read(request, self.parameters_class)
        self.size = int(asked.get("page_size", self.default_size))
        self.cursor = self.decode(asked["cursor"]) if "cursor" in asked else Cursor()
        self.count = count_of(listing) if "count" in asked else None
        rows = self.fetch()
        self.has_more, self.rows = len(rows) > self.size, rows[: self.size]
        if self.cursor.backward:
            self.rows.reverse()
        self.edges = [tuple(row[key.name] for key in listing.query.order) for row in (*self.rows[:1], *self.rows[-1:])]
        for name in listing.query.hidden:
            for row in self.rows:
                row.pop(name, None)
        return self.rows

    def fetch(self) -> list[Row]:
        """The rows from the cursor on, nearest first, and one more if there is one."""
        query, edge = self.listing.query, self.cursor.edge
        values = {**self.listing.values, "page_rows": self.size + 1}
        if edge:
            values |= {f"edge_{key.name}": value for key, value in zip(query.order, edge, strict=True)}
        statement = page_query(
            query, has_edge=edge is not None, backward=self.cursor.backward, largest=self.largest_size
        )
        return replica.rows(statement, values, may_lag=self.listing.may_lag)

    # ── Links ──

    @property
    def next(self) -> str | None:
        if self.cursor.backward:  # we came from there, unless the page is empty: then everything lies ahead
            return self.link(self.at_edge(-1)) if self.rows else self.link(None)
        return self.link(self.at_edge(-1)) if self.has_more else None

    @property
    def previous(self) -> str | None:
        if self.cursor.backward:
            return self.link(self.at_edge(0, backward=True)) if self.has_more else None
        if self.cursor.edge is None:
            return None
        return self.link(self.at_edge(0, backward=True) if self.rows else Cursor(backward=True))

    def at_edge(self, index: int, *, backward: bool = False) -> Cursor:
        return Cursor(backward, self.edges[index])

    @cached_property
    def repeated(self) -> list[str]:
        """What a link repeats of the query."""
        given = {name: values for name, values in self.request.query_params.lists() if name != "cursor"}
        query = given | {name: [value] for name, value in self.listing.in_links.items()}
        return [urlencode(query, doseq=True)] if query else []

    def link(self, cursor: Cursor | None) -> str:
        query = "&".join([*self.repeated, f"cursor={self.encode(cursor)}"] if cursor else self.repeated)
        return f"{settings.PUBLIC_URL}{self.request.path}" + (f"?{query}" if query else "")

    @cached_property
    def scope(self) -> str:
        """A digest of the list, its order and the filters in use; whoever asks and the page size may differ."""
        kind: type[ParameterSerializer] | None = getattr(self.view, "parameters_class", None)
        given = {**self.request.query_params.dict(), **self.listing.in_links}
        names = kind._declared_fields if kind and given else ()
        in_use = tuple((name, given[name]) for name in names if given.get(name))
        return digest(self.request.path, tuple(map(str, self.listing.query.order)), in_use)

    def encode(self, cursor: Cursor) -> str:
        return signed(self.scope, int(cursor.backward), cursor.edge and tuple(map(for_json, cursor.edge)))

    def decode(self, token: str) -> Cursor:
        """Raises InvalidParameter for what this list, in this order and with these filters, did not give out."""
        try:
            scope, backward, edge = SIGNER.unsign_object(token)
        except signing.BadSignature:
            scope, backward, edge = None, 0, None
        if scope != self.scope:
            raise InvalidParameter("cursor", "This is not a cursor of this list.", code="invalid_cursor")
        return Cursor(bool(backward), edge and tuple(edge))

    # ── Answer and schema ──

    def get_paginated_response(self, data: Any) -> HttpResponse:  # type: ignore[override]  # not one that waits
        counted = {} if self.count is None else {"count": self.count}
        return JSONResponse({**counted, "next": self.next, "previous": self.previous, "results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri", "example": None}
        count = {
            "type": "integer",
            "minimum": 0,
            "description": "Of all pages; only with `?count=exact`.",
            "example": 1,
        }
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {
                "count": count,
                "next": link | {"description": "The page after this one; null on the last."},
                "previous": link | {"description": "The page before this one; null on the first."},
                "results": schema,
            },
        }


# ── SQL ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


@lru_cache(maxsize=1000)
def page_query(query: ListQuery, *, has_edge: bool, backward: bool, largest: int = LARGEST_SIZE) -> PreparedQuery:
    """The statement for `page_rows` rows, which PostgreSQL plans as for the largest page."""
    order = [key.reversed() for key in query.order] if backward else query.order
    conditions = [*query.conditions, *([beyond(order)] if has_edge else [])]
    inner, outer = (", ".join(key.in_order(sql) for key, sql in each) for each in (
        [(key, key.sql) for key in order], [(key, f'"{key.name}"') for key in order])
    )  # fmt: skip
    parts = " UNION ALL ".join(
        f"(SELECT {query.columns} FROM {query.tables} WHERE {' AND '.join([*conditions, part])} "
        f"ORDER BY {inner} LIMIT {largest + 1})"
        for part in query.parts
    )
    return PreparedQuery(f"SELECT * FROM ({parts}) AS page ORDER BY {outer} LIMIT %(page_rows)s", prepare=query.prepare)


def beyond(order: Sequence[Key]) -> str:
    """The condition for rows that come after the edge.

    One direction for all keys: a row comparison, which PostgreSQL answers from one range of a composite index.
    """
    if len({key.descending for key in order}) == 1:
        columns, values = (", ".join(each) for each in ([key.sql for key in order], [key.value for key in order]))
        return f"({columns}) {'<' if order[0].descending else '>'} ({values})"
    first, *rest = order
    further = f"{first.sql} {'<' if first.descending else '>'} {first.value}"
    return f"({further} OR {first.sql} = {first.value} AND {beyond(rest)})" if rest else further


def first_rows(listing: Listing, most: int) -> list[Row]:
    """How a list begins, for whoever shows no pages of it."""
    return page_query(listing.query, has_edge=False, backward=False).rows({**listing.values, "page_rows": most})


@lru_cache(maxsize=1000)
def count_query(query: ListQuery) -> PreparedQuery:
    conditions = " AND ".join([*query.conditions, f"({' OR '.join(query.parts)})"])
    return PreparedQuery(f"SELECT count(*) FROM {query.tables} WHERE {conditions}", prepare=query.prepare)


def count_of(listing: Listing) -> int:
    [row] = replica.rows(count_query(listing.query), listing.values, may_lag=listing.may_lag)
    return int(row["count"])


# ── Cursors ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@lru_cache(maxsize=1000)
def signed(scope: str, backward: int, edge: tuple[Hashable, ...] | None) -> str:
    return SIGNER.sign_object([scope, backward, edge])


def for_json(value: Any) -> Any:
    """PostgreSQL reads it back without loss: a time keeps its microseconds."""
    return value.isoformat() if isinstance(value, date) else value


@lru_cache(maxsize=1000)
def digest(*facts: Hashable) -> str:
    return hashlib.blake2b(json.dumps(facts).encode(), digest_size=8).hexdigest()
