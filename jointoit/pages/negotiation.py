"""Leads a browser that opens an address of the API to the page for people; programs get JSON as ever."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.cache import patch_vary_headers

BROWSER = "application/xhtml+xml"  # which browsers name, and programs do not


def or_page(view: Callable[..., Any], route: str) -> Callable[..., Any]:
    """The same view; whoever asks as a browser does is led to the page of that name.

    The JSON answer needs no `Vary: Accept`: it is `no-cache`, so that a cache asks here before it gives it out.
    """

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if BROWSER in request.META.get("HTTP_ACCEPT", "") and is_of_a_person(request):
            return to_page(request, reverse(route, kwargs=kwargs))
        return view(request, *args, **kwargs)

    return answer


def is_of_a_person(request: HttpRequest) -> bool:
    return (
        request.method in ("GET", "HEAD")
        and "text/html" in request.META["HTTP_ACCEPT"]
        and "HTTP_AUTHORIZATION" not in request.META
        and "format" not in request.GET
    )


def to_page(request: HttpRequest, path: str) -> HttpResponseRedirect:
    query = request.META.get("QUERY_STRING", "")
    response = HttpResponseRedirect(f"{path}?{query}" if query else path)
    patch_vary_headers(response, ["Accept", "Authorization"])
    return response
