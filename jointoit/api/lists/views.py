"""What views of lists have in common."""

from collections.abc import Sequence
from typing import Any, ClassVar

from rest_framework.generics import GenericAPIView

from jointoit.api.lists.pagination import KeysetPagination, Listing, PageParameters
from jointoit.api.lists.parameters import ParameterSerializer
from jointoit.api.lists.prepared import Row


class PagedView(GenericAPIView[Any]):
    """`parameters_class` says what a list may be narrowed by; KeysetPagination reads a Listing page by page.

    `further_parameters` are those that another method of the view reads.
    """

    further_parameters: ClassVar[Sequence[type[ParameterSerializer]]] = ()

    @classmethod
    def known_parameters(cls) -> frozenset[str]:
        """The names of the query parameters that are read."""
        own: type[ParameterSerializer] = getattr(cls, "parameters_class", PageParameters)
        kinds = (own, PageParameters, *cls.further_parameters)
        return frozenset(name for kind in kinds for name in kind._declared_fields) | {"format"}

    def page_of(self, listing: Listing) -> list[Row]:
        """The rows of the page that is asked for; `get_paginated_response` then puts its links around them."""
        assert isinstance(self.paginator, KeysetPagination)
        return self.paginator.paginate_queryset(listing, self.request, view=self)
