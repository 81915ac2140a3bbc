"""`Prefer: handling=strict` (RFC 7240 section 4.4): what would be ignored as unknown is refused, with the nearest name.

Without it unknown members and parameters are ignored, so that a newer client may speak to an older service.
"""

import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any, ClassVar, Final

from django.http import HttpRequest
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.fields import empty

STRICT: Final = re.compile(r"(?:^|[,;])\s*handling\s*=\s*\"?strict\"?\s*(?=$|[,;])", re.IGNORECASE)
UNCHANGING: Final = "This never changes; leave it out."
#: A name is told only if it looks like one of ours.
TELLABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}", re.ASCII)


class StrictObject(dict[str, Any]):
    """The body of a request whose sender wants to hear of unknown members."""


def is_strict(request: HttpRequest) -> bool:
    return bool(STRICT.search(request.META.get("HTTP_PREFER", "")))


def suggestion(name: str, known: Collection[str]) -> str:
    nearest = get_close_matches(name, known, n=1)
    return f"Nothing is called so here; perhaps {nearest[0]} is meant." if nearest else "Nothing is called so here."


class Shape(serializers.Serializer[Any]):
    """A serializer that refuses members it does not know, where the sender asked for it.

    Of an instance that is changed, members that are `unchanging` may be sent back as they were read, and no other way.
    """

    unchanging: ClassVar[Mapping[str, str]] = {}  # by the member's name, the attribute of the instance
    also_read: ClassVar[Collection[str]] = ()  # members of what is read that are ignored when they are sent back

    def run_validation(self, data: Any = empty) -> Any:
        if self.instance is not None and isinstance(data, Mapping):
            moved = [name for name in self.unchanging if name in data and not self.is_same(name, data[name])]
            if moved:
                raise serializers.ValidationError({name: [ErrorDetail(UNCHANGING, code="read_only")] for name in moved})
        if isinstance(data, StrictObject) and (unknown := data.keys() - self.fields.keys() - {*self.also_read}):
            raise serializers.ValidationError({
                name if TELLABLE.fullmatch(name) else "": [
                    ErrorDetail(suggestion(name, self.fields.keys()), code="unknown_member")
                ]
                for name in sorted(unknown)
            })  # fmt: skip
        return super().run_validation(data)

    def is_same(self, name: str, value: Any) -> bool:
        return not isinstance(value, bool) and value == getattr(self.instance, self.unchanging[name])


def unknown_parameters(request: HttpRequest, known: Collection[str]) -> list[dict[str, str]]:
    """One entry for each query parameter that the view does not read."""
    return [
        {
            "parameter": name if TELLABLE.fullmatch(name) else "",
            "code": "unknown_parameter",
            "detail": suggestion(name, known),
        }
        for name in request.GET
        if name not in known
    ]
