"""Turns the error trees of serializers and models into flat lists of `{pointer or parameter, code, detail}`.

Stock messages of Django and REST framework that repeat what the client sent are replaced by sentences of our own.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from rest_framework.exceptions import APIException, ErrorDetail

from jointoit.api.problems.kinds import INVALID_DETAIL

ABOUT_THE_WHOLE = ("non_field_errors", "__all__")

#: code → how a stock message begins that repeats the input, and what to say instead.
ECHOES: Mapping[str, tuple[tuple[str, ...], str]] = {
    "invalid": (
        ("Invalid data. Expected", "Incorrect type", "“", "'"),
        "This must be an object or value as documented.",
    ),
    "invalid_choice": (('"', "“", "Value ", "Select a valid choice"), "This is not one of the values to choose from."),
    "invalid_list": (("Enter a list",), "This must be a list of values."),
    "invalid_pk_value": (("“",), "This is not an id."),
    "not_a_list": (("Expected a list",), "This must be an array."),
    "not_a_dict": (("Expected a dictionary",), "This must be an object."),
    "does_not_exist": (("Invalid pk", "Object with"), "Nothing has this id."),
    "incorrect_type": (("Incorrect type",), "This must be an id."),
    "no_match": (("Invalid hyperlink",), "This must be the address of something."),
    "incorrect_match": (("Invalid hyperlink",), "This must be the address of something."),
    "surrogate_characters_not_allowed": (("Surrogate",), "This has half of a surrogate pair, which is no character."),
    "unique": (("“",), "This is taken."),
}


def pointer(path: tuple[str, ...]) -> str:
    """A JSON Pointer as a URI fragment (RFC 6901 section 6)."""
    return "#" + "".join(
        "/" + quote(part.replace("~", "~0").replace("/", "~1"), safe="!$&'()*+,;=:@~") for part in path
    )


def wording(detail: str, code: str) -> str:
    """The message itself, or a sentence of our own where the stock one would repeat what the client sent."""
    beginnings, sentence = ECHOES.get(code, ((), ""))
    return sentence if beginnings and detail.startswith(beginnings) else detail


def _leaves(tree: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], ErrorDetail]]:
    if isinstance(tree, dict):
        for key, branch in tree.items():
            yield from _leaves(branch, path if key in ABOUT_THE_WHOLE else (*path, str(key)))
    elif isinstance(tree, list):
        for index, branch in enumerate(tree):
            # A list of messages is about one place; a list of trees is one tree for each item.
            yield from _leaves(branch, path if isinstance(branch, str) else (*path, str(index)))
    else:
        yield path, tree


def entry(path: tuple[str, ...], code: str, detail: str, *, as_parameters: bool) -> dict[str, str]:
    place = {"parameter": path[0]} if as_parameters and path else {"pointer": pointer(path)}
    return {**place, "code": code, "detail": wording(detail, code)}


def entries(tree: Any, *, as_parameters: bool = False) -> list[dict[str, str]]:
    """One entry for each message of a `ValidationError.detail`, of whatever nesting."""
    return [
        entry(path, str(getattr(leaf, "code", None) or "invalid"), str(leaf), as_parameters=as_parameters)
        for path, leaf in _leaves(tree, ())
    ]


class InvalidParameter(APIException):
    """A query parameter or a header is wrong; `detail` says what would be right and never repeats the value."""

    status_code = 400
    default_code = "invalid"
    default_detail = INVALID_DETAIL

    def __init__(self, parameter: str, detail: str, code: str = "invalid") -> None:
        super().__init__()
        self.members = {"errors": [{"parameter": parameter, "code": code, "detail": detail}]}
