"""Events as clients read them: each as the JSON that PostgreSQL writes, the public's by statements written once."""

from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from typing import Any, cast

from django.contrib.auth.models import AnonymousUser
from django.db.models import BigAutoField, QuerySet
from orjson import Fragment

from jointoit.api.lists.documents import written
from jointoit.api.lists.filtering import Shape
from jointoit.api.lists.prepared import Given, Repeated, Statement
from jointoit.errors import NotFound
from jointoit.events.filters import EventFilters
from jointoit.events.models import Event, EventQuerySet
from jointoit.events.serializers import EVENT_DOCUMENT


@cache
def public_events() -> EventQuerySet:
    """What anybody may see. Put together once: that takes Django as long as PostgreSQL takes to answer it."""
    return Event.objects.visible_to(AnonymousUser())


def public_document(pk: int) -> Fragment:
    """One of them. Raises NotFound."""
    return only(public_statement().rows(pk=pk))


@cache
def public_statement() -> Statement:
    return Statement(rows(public_events().filter(pk=Given("pk", BigAutoField())).order_by()))


def public_list(filters: EventFilters | None, keys: Sequence[str]) -> Any:
    """The events of all pages, with what orders them: a queryset, or `Repeated` where others ask for the same."""
    if filters is None:
        everything = public_rows((), *keys)
        return Repeated(everything, build=lambda: everything, given={})

    def build() -> QuerySet[Event, dict[str, Any]]:
        return rows(cast(EventQuerySet, filters.qs), *keys)

    if not filters.repeats():
        return build()
    shape, given = filters.shape()
    keeps_plan = keys == ["date", "id"] and filters.has_one_plan()
    return Repeated(public_rows(shape, *keys), build=build, given=given, keeps_plan=keeps_plan)


@lru_cache(maxsize=1000)
def public_rows(shape: Shape, *keys: str) -> QuerySet[Event, dict[str, Any]]:
    """Those that filters leave, with `Given` for what the filters are given."""
    return rows(EventFilters.narrow_to_shape(public_events(), shape), *keys)


def rows(events: EventQuerySet, *keys: str) -> QuerySet[Event, dict[str, Any]]:
    """Each event as JSON, with what their list is ordered by."""
    events = events.by_title() if "title_order" in keys else events
    return cast("QuerySet[Event, dict[str, Any]]", events.values(*keys, document=EVENT_DOCUMENT))


def document(event: EventQuerySet) -> Fragment:
    """The one event of a queryset as clients see it. Raises NotFound."""
    return only(rows(event.order_by())[:1])


def only(found: Iterable[dict[str, Any]]) -> Fragment:
    for row in found:
        return written(row["document"])
    raise NotFound
