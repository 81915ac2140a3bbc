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

    Of an instance that is changed, members that are `unchanging` may be sent back as they were read, and no other way;
    where the view has the path alone, so may the `id` that it puts into the context.
    """

    unchanging: ClassVar[Mapping[str, str]] = {}  # by the member's name, the attribute of the instance
    also_read: ClassVar[Collection[str]] = ()  # members of what is read that are ignored when they are sent back

    def run_validation(self, data: Any = empty) -> Any:
        if isinstance(data, Mapping):
            fixed = self.fixed_values()
            moved = [name for name in fixed if name in data and not is_same(data[name], fixed[name])]
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

    def fixed_values(self) -> dict[str, Any]:
        if self.instance is None:
            return {"id": self.context["id"]} if "id" in self.context else {}
        return {name: getattr(self.instance, attribute) for name, attribute in self.unchanging.items()}


def is_same(value: Any, fixed: Any) -> bool:
    return not isinstance(value, bool) and bool(value == fixed)


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
