"""Lists in pages that hold still: a cursor names the row at the edge, not a count of rows (keyset pagination).

Rows that come or go meanwhile shift nothing: no row is shown twice, none that was there is left out, and page 10,000
costs what page 1 costs when an index has the columns of the ordering.
"""

import hashlib
import json
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache, reduce
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

from django.conf import settings
from django.core import signing
from django.db.models import F, FloatField, Model, Q, QuerySet
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan
from django.db.models.functions import Cast
from django.http import HttpResponse
from django.utils.functional import cached_property
from rest_framework.pagination import BasePagination
from rest_framework.request import Request

from jointoit.api.http.rendering import JSONResponse
from jointoit.api.lists.filtering import filter_names
from jointoit.api.lists.parameters import ChoiceField, Parameters, TextField, WholeNumberField
from jointoit.api.lists.prepared import Given, Repeated, Statement
from jointoit.api.problems.handlers import InvalidParameter

if TYPE_CHECKING:  # REST framework's views import this module through the settings
    from rest_framework.views import APIView

DEFAULT_SIZE = 20
LARGEST_SIZE = 100
SIZE = WholeNumberField(smallest=1, largest=LARGEST_SIZE)
COUNT = ChoiceField(choices=["exact"])
TOKEN = TextField(longest=8192)
#: The characters of a cursor are those of base64url and the dot: nothing in a link needs escaping.
SIGNER = signing.Signer(salt="jointoit.api.lists.pagination", sep=".")


@dataclass(frozen=True)
class Cursor:
    """Where a page begins: after the row with the values `key`, or before it; without a key at either end."""

    backward: bool = False
    key: tuple[Any, ...] | None = None


class KeysetPagination(BasePagination):
    """Pages of a queryset of instances or of `.values()` rows, or of a `Repeated` one.

    The order is what `view.get_ordering()` returns, such as `("-date", "-id")`, else that of the queryset. Its columns
    and annotations are not null and, for `.values()` rows, among the values. The primary key is added as the last one
    where it is missing: it settles ties.
    """

    def paginate_queryset(self, queryset: Any, request: Request, view: "APIView | None" = None) -> list[Any]:
        self.request = request
        self.ordering = ordering_of(queryset.standing if isinstance(queryset, Repeated) else queryset, view)
        self.scope = scope_of(request, view, self.ordering)
        self.read_parameters(request)
        # Each size is a statement to keep.
        if isinstance(queryset, Repeated) and (self.wants_count or self.size != DEFAULT_SIZE):
            queryset = queryset.build()
        self.count = queryset.count() if self.wants_count else None
        rows = self.fetch(queryset)
        self.has_more, self.rows = len(rows) > self.size, rows[: self.size]
        if self.cursor.backward:
            self.rows.reverse()
        return self.rows

    def read_parameters(self, request: Request) -> None:
        parameters = Parameters(request.query_params)
        self.size = parameters.read("page_size", SIZE) or DEFAULT_SIZE
        self.wants_count = bool(parameters.read("count", COUNT))
        token = parameters.read("cursor", TOKEN)
        parameters.check()
        self.cursor = self.decode(token) if token else Cursor()

    def fetch(self, queryset: QuerySet[Any] | Repeated[Any]) -> list[Any]:
        """The rows from the cursor on, nearest first, and one more if there is one."""
        ordering = reverse(self.ordering) if self.cursor.backward else self.ordering
        if not isinstance(queryset, Repeated):
            return list(window(queryset, ordering, self.cursor.key)[: self.size + 1])
        key = dict(zip(map(key_name, names_of(ordering)), self.cursor.key or (), strict=False))
        statement = statement_of(queryset.standing, ordering, has_key=bool(key), keeps_plan=queryset.keeps_plan)
        return statement.rows(**queryset.given, **key)

    # ── Links ──

    @property
    def next(self) -> str | None:
        if self.cursor.backward:  # we came from there, unless the page is empty: then everything lies ahead
            return self.link(self.edge(-1)) if self.rows else self.link(None)
        return self.link(self.edge(-1)) if self.has_more else None

    @property
    def previous(self) -> str | None:
        if self.cursor.backward:
            return self.link(self.edge(0, backward=True)) if self.has_more else None
        if self.cursor.key is None:
            return None
        return self.link(self.edge(0, backward=True) if self.rows else Cursor(backward=True))

    def edge(self, index: int, *, backward: bool = False) -> Cursor:
        row = self.rows[index]
        return Cursor(backward, tuple(value_of(row, name) for name in names_of(self.ordering)))

    @cached_property
    def parameters(self) -> list[str]:
        """What a link repeats of the query."""
        given = self.request.query_params.lists()
        repeated = [(name, value) for name, values in given if name != "cursor" for value in values]
        return [urlencode(repeated)] if repeated else []

    def link(self, cursor: Cursor | None) -> str:
        query = "&".join([*self.parameters, f"cursor={self.encode(cursor)}"] if cursor else self.parameters)
        return f"{settings.PUBLIC_URL}{self.request.path}" + (f"?{query}" if query else "")

    def encode(self, cursor: Cursor) -> str:
        return signed(self.scope, int(cursor.backward), cursor.key and tuple(map(plain, cursor.key)))

    def decode(self, token: str) -> Cursor:
        """Raises InvalidParameter for what this list, in this order and with these filters, did not give out."""
        try:
            scope, backward, key = SIGNER.unsign_object(token)
        except signing.BadSignature:
            scope, backward, key = None, 0, None
        if scope != self.scope:
            raise InvalidParameter("cursor", "This is not a cursor of this list.", code="invalid_cursor")
        return Cursor(bool(backward), key and tuple(key))

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

    def get_schema_operation_parameters(self, view: "APIView") -> list[dict[str, Any]]:
        size = {"type": "integer", "minimum": 1, "maximum": LARGEST_SIZE, "default": DEFAULT_SIZE}
        return [
            query_parameter("page_size", size, "Rows on a page."),
            query_parameter("cursor", {"type": "string"}, "Taken from `next` or `previous`; opaque and signed."),
            query_parameter("count", {"type": "string", "enum": ["exact"]}, "Adds `count`, at the cost of counting."),
        ]


def query_parameter(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "required": False, "in": "query", "description": description, "schema": schema}


# ── Orderings and keys ────────────────────────────────────────────────────────────────────────────────────────────────


def ordering_of(queryset: QuerySet[Any], view: "APIView | None") -> tuple[str, ...]:
    chosen = getattr(view, "get_ordering", None)
    own = queryset.query.order_by or queryset.model._meta.ordering
    return complete(chosen() if chosen else own, queryset.model)


def complete(ordering: Sequence[Any], model: type[Model]) -> tuple[str, ...]:
    """Name the primary key by its column and let it settle ties, in the direction of the column before it."""
    pk = model._meta.pk.name
    named = tuple({"pk": pk, "-pk": f"-{pk}"}.get(name, name) for name in ordering)
    if pk in named or f"-{pk}" in named:
        return named
    return (*named, f"-{pk}" if named and named[-1].startswith("-") else pk)


def names_of(ordering: Sequence[str]) -> list[str]:
    return [name.removeprefix("-") for name in ordering]


def reverse(ordering: Sequence[str]) -> tuple[str, ...]:
    return tuple(name[1:] if name.startswith("-") else f"-{name}" for name in ordering)


def beyond(ordering: Sequence[str], key: Sequence[Any]) -> Any:
    """The condition for rows that come after `key`.

    One direction for all columns: a row comparison, which PostgreSQL answers from one range of a composite index.
    """
    names = names_of(ordering)
    descending = {name.startswith("-") for name in ordering}
    if len(descending) == 1:
        lookup = TupleLessThan if descending.pop() else TupleGreaterThan
        return lookup(Tuple(*map(F, names)), tuple(key))
    return stepwise(ordering, key)


def window(queryset: QuerySet[Any], ordering: Sequence[str], key: Sequence[Any] | None) -> QuerySet[Any]:
    queryset = with_exact_floats(queryset, ordering).order_by(*ordering)
    return queryset if key is None else queryset.filter(beyond(ordering, key))


@lru_cache(maxsize=1000)
def statement_of(queryset: QuerySet[Any], ordering: Sequence[str], *, has_key: bool, keeps_plan: bool) -> Statement:
    """What `window` selects from a standing queryset for a page of the usual size, whatever the key."""
    column, computed = queryset.model._meta.get_field, queryset.query.annotations
    fields = {name: computed[name].output_field if name in computed else column(name) for name in names_of(ordering)}
    key = [Given(key_name(name), cast("Any", field)) for name, field in fields.items()] if has_key else None
    return Statement(window(queryset, ordering, key)[: DEFAULT_SIZE + 1], keeps_plan=keeps_plan)


def key_name(name: str) -> str:
    """How a part of the key is called among what is given: a filter may be called as a column is."""
    return f"key_{name}"


def stepwise(ordering: Sequence[str], key: Sequence[Any]) -> Q:
    """Mixed directions: further in the first column, or equal there and further in the rest."""
    name, value = ordering[0].removeprefix("-"), key[0]
    further = Q(**{f"{name}__{'lt' if ordering[0].startswith('-') else 'gt'}": value})
    return further | Q(**{name: value}) & stepwise(ordering[1:], key[1:]) if ordering[1:] else further


def with_exact_floats(queryset: QuerySet[Any], ordering: Sequence[str]) -> QuerySet[Any]:
    """Read computed floats in double precision.

    `ts_rank` is a `real`: its shortest decimal, sent back, is another number than the stored one, and ties would break.
    """
    queryset, names = queryset.all(), names_of(ordering)
    for name, computed in list(queryset.query.annotations.items()):
        if name in names and isinstance(computed.output_field, FloatField):
            # Not `annotate`, which refuses to replace one of the names of `.values()`.
            queryset.query.add_annotation(Cast(name, FloatField()), name)
    return queryset


def value_of(row: Any, name: str) -> Any:
    return row[name] if isinstance(row, dict) else reduce(getattr, name.split("__"), row)


@lru_cache(maxsize=1000)
def signed(scope: str, backward: int, key: tuple[Hashable, ...] | None) -> str:
    return SIGNER.sign_object([scope, backward, key])


def plain(value: Any) -> Any:
    """For JSON; the column's field reads it back without loss (a datetime keeps its microseconds)."""
    if isinstance(value, date):
        return value.isoformat()
    return value if isinstance(value, int | float | str) else str(value)


def scope_of(request: Request, view: "APIView | None", ordering: Sequence[str]) -> str:
    """A digest of the list, its order and the filters in use; whoever asks and the page size may differ."""
    given, names = request.query_params, filter_names(cast("Any", type(view)))
    in_use = tuple((name, given[name]) for name in names if given.get(name)) if given else ()
    return digest(request.path, tuple(ordering), in_use)


@lru_cache(maxsize=1000)
def digest(*facts: Hashable) -> str:
    return hashlib.blake2b(json.dumps(facts).encode(), digest_size=8).hexdigest()
