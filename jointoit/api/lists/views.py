"""What views of lists have in common."""

from typing import Any

from rest_framework.generics import GenericAPIView

from jointoit.api.lists.pagination import KeysetPagination, Listing
from jointoit.api.lists.prepared import Row


class PagedView(GenericAPIView[Any]):
    """`parameters_class` says what a list may be narrowed by; KeysetPagination reads a Listing page by page."""

    def page_of(self, listing: Listing) -> list[Row]:
        """The rows of the page that is asked for; `get_paginated_response` then puts its links around them."""
        assert isinstance(self.paginator, KeysetPagination)
        return self.paginator.paginate_queryset(listing, self.request, view=self)
