"""Reads bodies: JSON objects in UTF-8, and of those only what every reader would understand in the same way (RFC 7493).

What is refused: other encodings and byte order marks, duplicate members, NUL and halves of surrogate pairs, numbers
that are not finite or do not fit 64 bits, and trees too deep or too large to be meant.
"""

import json
import math
from collections.abc import Iterator, Mapping
from typing import IO, Any, Final

from rest_framework.exceptions import APIException
from rest_framework.parsers import BaseParser

from jointoit.api.http.strictness import StrictObject, is_strict

MAX_DEPTH: Final = 32
MAX_NODES: Final = 2_000
MAX_INTEGER: Final = 2**63 - 1
MAX_DIGITS: Final = len(str(MAX_INTEGER))


class InvalidJSON(APIException):
    """Built from one of `REASONS`, which becomes the code of the only entry in `errors`."""

    REASONS: Mapping[str, str] = {
        "not_utf8": "The body must be in UTF-8, without a byte order mark.",
        "not_json": "The body must be one complete JSON text.",
        "not_an_object": "The body must be a JSON object.",
        "duplicate_member": "An object must not name a member twice.",
        "not_finite": "Numbers must be finite and fit a double.",
        "too_large_integer": "Integers must lie between -2^63 and 2^63, both exclusive.",
        "not_a_character": "Text must not have NUL or half of a surrogate pair.",
        "too_deep": f"The body must not nest deeper than {MAX_DEPTH} levels.",
        "too_many_values": f"The body must not have more than {MAX_NODES} values.",
    }
    status_code = 400
    default_code = "invalid_json"
    default_detail = "The body is not valid."

    def __init__(self, reason: str) -> None:
        super().__init__(self.REASONS[reason])
        self.members = {"errors": [{"pointer": "#", "code": reason, "detail": self.REASONS[reason]}]}


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise InvalidJSON("duplicate_member")
    return members


def _integer(digits: str) -> int:
    if len(digits.lstrip("-")) > MAX_DIGITS or abs(number := int(digits)) > MAX_INTEGER:
        raise InvalidJSON("too_large_integer")
    return number


def _real(digits: str) -> float:
    if not math.isfinite(number := float(digits)):
        raise InvalidJSON("not_finite")
    return number


def _constant(name: str) -> float:
    raise InvalidJSON("not_finite")


def _strict_object(pairs: list[tuple[str, Any]]) -> StrictObject:
    return StrictObject(_object(pairs))


_NUMBERS: Final[Mapping[str, Any]] = {"parse_int": _integer, "parse_float": _real, "parse_constant": _constant}
_DECODER: Final = json.JSONDecoder(object_pairs_hook=_object, **_NUMBERS)
_STRICT_DECODER: Final = json.JSONDecoder(object_pairs_hook=_strict_object, **_NUMBERS)


def _check_text(text: str) -> None:
    if "\0" in text or (not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text)):
        raise InvalidJSON("not_a_character")


def _children(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for name in value:
            _check_text(name)
        yield from value.values()
    elif isinstance(value, list):
        yield from value
    elif isinstance(value, str):
        _check_text(value)


def _check_tree(root: Any) -> None:
    """Walk level by level: the depth is the number of levels, whatever the width."""
    level, nodes, depth = [root], 1, 1
    while level:
        if depth > MAX_DEPTH and any(isinstance(value, dict | list) for value in level):
            raise InvalidJSON("too_deep")
        level, depth = [child for value in level for child in _children(value)], depth + 1
        nodes += len(level)
        if nodes > MAX_NODES:
            raise InvalidJSON("too_many_values")


def parse(body: bytes, *, strict: bool = False) -> dict[str, Any]:
    """The object; with `strict` it and those in it are StrictObjects. Raises `InvalidJSON`."""
    try:
        root = (_STRICT_DECODER if strict else _DECODER).decode(body.decode("utf-8"))
    except UnicodeDecodeError:
        raise InvalidJSON("not_utf8") from None
    except RecursionError:
        raise InvalidJSON("too_deep") from None
    except ValueError:
        raise InvalidJSON("not_utf8" if body.startswith(b"\xef\xbb\xbf") else "not_json") from None
    if not isinstance(root, dict):
        raise InvalidJSON("not_an_object")
    _check_tree(root)
    return root


class StrictJSONParser(BaseParser):
    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        request = (parser_context or {}).get("request")
        return parse(stream.read(), strict=request is not None and is_strict(request))
