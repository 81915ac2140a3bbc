"""Which media type an answer takes (RFC 9110 section 12.5.1), and how JSON is written.

Django's `get_preferred_type` answers 406 to `Accept: application/json; charset=utf-8`, which clients send, and gives
JSON to `application/json;q=0`; REST framework's negotiation reads no weights (decision 16).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

import orjson
from django.http import HttpResponse
from django.utils.functional import Promise
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

PROBLEM: Final = "application/problem+json"
MAX_HEADER: Final = 4_096  # characters of Accept that are read
MAX_RANGES: Final = 64
WEIGHT: Final = re.compile(r"0(\.\d{0,3})?|\.\d{1,3}|1(\.0{0,3})?", re.ASCII)  # Java writes .2
RANGE: Final = re.compile(r"\*/\*|[\w!#$&^.+-]+/(?:\*|[\w!#$&^.+-]+)", re.ASCII)


def _as_json_knows(value: object) -> object:
    """What orjson does not write by itself: lazy and exact things as text, other collections as arrays."""
    if isinstance(value, Promise | Decimal):
        return str(value)
    if isinstance(value, Iterable):
        return list(value)
    raise TypeError


def to_json(data: Any) -> bytes:
    return orjson.dumps(data, default=_as_json_knows, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS)


class JSONRenderer(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None  # RFC 8259 section 11: no such parameter

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        return b"" if data is None else to_json(data)


class JSONResponse(HttpResponse):
    """The answer of a view that has JSON to give and nothing else: what REST framework's `Response` would render."""

    def __init__(self, data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(to_json(data), JSONRenderer.media_type, status, headers=headers)


class EmptyResponse(HttpResponse):
    """204: what was asked for is done. Nothing has no media type."""

    status_code = 204

    def __init__(self, **how: Any) -> None:
        super().__init__(**how)
        del self["Content-Type"]


@lru_cache(maxsize=100)
def accepted(header: str) -> Mapping[str, float]:
    """Media ranges with their weights; what is malformed is left out, other parameters than `q` are not looked at.

    Who accepts problems accepts JSON: a client that names only the media type of errors wants both.
    """
    ranges: dict[str, float] = {}
    for item in header.lower().split(",")[:MAX_RANGES]:
        name, *parameters = (part.strip() for part in item.split(";"))
        weights = [parameter[2:] for parameter in parameters if parameter.startswith("q=")] or ["1"]
        if RANGE.fullmatch(name) and WEIGHT.fullmatch(weights[0]):
            ranges[name] = float(weights[0])
    if PROBLEM in ranges:
        ranges.setdefault(JSONRenderer.media_type, ranges[PROBLEM])
    return ranges


def quality(media_type: str, ranges: Mapping[str, float]) -> float:
    """The weight of the most specific range that holds `media_type`; 0 is a refusal."""
    family = media_type.partition("/")[0]
    return next((ranges[name] for name in (media_type, f"{family}/*", "*/*") if name in ranges), 0.0)


class Negotiation(BaseContentNegotiation):
    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        """None makes the answer 415: another media type, another character set, or a compressed body."""
        sent = request._request
        coding = request.META.get("HTTP_CONTENT_ENCODING", "identity").strip().lower()
        charset = sent.content_params.get("charset", "utf-8") if sent.content_params else "utf-8"
        if charset.lower() not in ("utf-8", "utf8") or coding != "identity":
            return None
        return next((parser for parser in parsers if parser.media_type == sent.content_type), None)

    def select_renderer(  # type: ignore[override]
        self, request: Request, renderers: Sequence[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        asked = request.query_params.get("format")
        if asked and (named := next((each for each in renderers if each.format == asked), None)):
            return named, str(named.media_type)  # a link that a browser can fetch
        header = request.META.get("HTTP_ACCEPT", "").strip() or "*/*"
        ranges = accepted(header[:MAX_HEADER])
        best = max(renderers, key=lambda renderer: quality(str(renderer.media_type), ranges))
        if not quality(str(best.media_type), ranges):
            raise NotAcceptable(available_renderers=renderers)
        return best, str(best.media_type)
