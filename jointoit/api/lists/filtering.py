"""Filters of lists: strict, named by their parameter when wrong, and turned into statements that are written once."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import django_filters
from django.db import models
from django.http import QueryDict
from django.utils import timezone
from django.utils.functional import cached_property
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema_field
from rest_framework.request import Request

from jointoit.api.lists.parameters import (
    LARGEST_ID,
    LONGEST_TEXT,
    BooleanField,
    ChoiceField,
    IdField,
    Parameters,
    TextField,
    TimestampField,
)
from jointoit.api.lists.prepared import Given

if TYPE_CHECKING:  # REST framework's views import this module through the settings
    from rest_framework.views import APIView

# Subclasses of django-filter's own, by which the schema knows their types; the stubs ask for its own fields too.


@extend_schema_field({"type": "integer", "format": "int64", "minimum": 1, "maximum": LARGEST_ID})
class IdFilter(filters.NumberFilter):
    field_class = IdField  # type: ignore[assignment]


class ChoiceFilter(filters.ChoiceFilter):
    field_class = ChoiceField


class BooleanFilter(django_filters.BooleanFilter):  # not REST framework's, whose widget takes `True` for true
    field_class = BooleanField  # type: ignore[assignment]


@extend_schema_field({"type": "string", "maxLength": LONGEST_TEXT})
class TextFilter(filters.CharFilter):
    field_class = TextField  # type: ignore[assignment]


class TimestampFilter(filters.IsoDateTimeFilter):
    field_class = TimestampField  # type: ignore[assignment]


#: Filters in use, each with the value itself where there are few, else with its type.
Shape = tuple[tuple[str, Any], ...]
GIVEN: dict[type, models.Field[Any, Any]] = {
    int: models.BigIntegerField(),
    str: models.TextField(),
    datetime: models.DateTimeField(),
}


def given_for(name: str, value: Any) -> dict[str, Any]:
    """The values of one parameter by their names in a statement; a named tuple has several."""
    parts = value._asdict() if hasattr(value, "_asdict") else {}
    return {f"{name}_{part}": each for part, each in parts.items()} or {name: value}


def given_in(name: str, kind: Any) -> Any:
    """What stands for them in a queryset."""
    if kind in GIVEN:
        return Given(name, GIVEN[kind])
    return kind(**{part: Given(f"{name}_{part}", GIVEN[each]) for part, each in kind.__annotations__.items()})


class StrictFilterSet(filters.FilterSet):
    """Has the filters that the request gives, and no others, and copies them only where a queryset is narrowed.

    A filter takes its value as it is, or `Given` in its place: what has to be done to a value is done by its field. It
    compares with `self.now`, and finds the other values in `self.values`.
    """

    data: Any
    queryset: Any

    def __init__(self, data: Any = None, queryset: Any = None, *, request: Any = None) -> None:
        self.data, self.queryset, self.request = data if data is not None else QueryDict(), queryset, request
        self.now: Any = timezone.now()

    @cached_property
    def filters(self) -> dict[str, filters.Filter]:  # type: ignore[override]  # made by the base class at once
        copies = {name: deepcopy(declared) for name, declared in self.base_filters.items() if name in self.data}
        for each in copies.values():
            vars(each).update(model=self.queryset.model, parent=self)
        return copies

    @cached_property
    def cleaned(self) -> dict[str, Any]:
        """The values that the request gives. Raises InvalidParameters, which names each that is wrong."""
        parameters = Parameters(self.data)
        given = {name: each.field for name, each in self.base_filters.items() if name in self.data}
        values = {name: parameters.read(name, field) for name, field in given.items()}
        self.judge(values, parameters)
        parameters.check()
        return values

    def check(self) -> None:
        """Raises InvalidParameters."""
        _ = self.cleaned

    def judge(self, values: dict[str, Any], parameters: Parameters) -> None:
        """Compare filters with each other, and refuse at `parameters` what is wrong; what is left in `values` counts.

        A value that is wrong or absent is None.
        """

    @cached_property
    def qs(self) -> Any:
        return self.narrow(self.queryset.all(), self.cleaned)

    def narrow(self, queryset: Any, values: Mapping[str, Any]) -> Any:
        self.values = values
        for name, value in values.items():
            queryset = self.filters[name].filter(queryset, value)
        return queryset

    def shape(self) -> tuple[Shape, dict[str, Any]]:
        """What a statement for these filters has in its text, and what it is given at each run."""
        shape, given = [], {"now": self.now}
        for name, value in self.cleaned.items():
            if value is None or isinstance(value, bool) or isinstance(self.base_filters[name], ChoiceFilter):
                shape.append((name, value))
            else:
                shape.append((name, type(value)))
                given |= given_for(name, value)
        return tuple(shape), given

    @classmethod
    def narrow_to_shape(cls, queryset: Any, shape: Shape) -> Any:
        """`queryset` with `Given` for what `shape` says the types of."""
        values = {name: given_in(name, value) if isinstance(value, type) else value for name, value in shape}
        filterset = cls(values, queryset)
        filterset.now = Given("now", GIVEN[datetime])
        return filterset.narrow(queryset, values)


class StrictFilterBackend(filters.DjangoFilterBackend):
    """For views with a StrictFilterSet: each filter given at most once, and every error named by its parameter."""

    def filter_queryset(  # type: ignore[override]  # the stub has Django's request
        self, request: Request, queryset: models.QuerySet[Any], view: "APIView"
    ) -> models.QuerySet[Any]:
        asked = self.asked(request, queryset, view)
        filtered: models.QuerySet[Any] = asked.qs if asked else queryset
        return filtered

    def asked(self, request: Request, queryset: models.QuerySet[Any], view: "APIView") -> Any:
        """The view's FilterSet with what the request gives it, if it gives any. Raises InvalidParameters."""
        declared = cast(type[StrictFilterSet] | None, self.get_filterset_class(view, queryset))
        if declared is None or not declared.base_filters.keys() & request.query_params.keys():
            return None
        filterset = declared(request.query_params, queryset, request=request)
        filterset.check()
        return filterset


@cache
def filter_names(view_class: Any) -> Sequence[str]:
    """The parameters that choose which rows a list shows: its filters and what it names in `list_parameters`."""
    filterset_class = getattr(view_class, "filterset_class", None)
    declared = filterset_class.base_filters if filterset_class else ()
    return sorted({*declared, *getattr(view_class, "list_parameters", ())})
