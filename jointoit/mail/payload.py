"""A message as JSON and back, exactly: the column `facts` of the outbox."""

from dataclasses import fields, is_dataclass
from datetime import datetime
from functools import cache
from types import UnionType
from typing import Any, get_args, get_type_hints

import orjson

from jointoit.mail.messages import Message


def dump(value: object) -> str:
    """A message, or what holds some, as JSON. Times keep their microseconds and offset (RFC 3339)."""
    return orjson.dumps(value).decode()


def plain(value: object) -> Any:
    """The same as a value of JSON."""
    return orjson.loads(dump(value))


def load(kind: str, values: dict[str, Any]) -> Message:
    """The message again. Raises LookupError for a kind that this release does not know, TypeError for missing facts.

    A field that the facts lack takes its default, so that rows from before the field was added stay good.
    """
    message = build(kinds()[kind], values)
    assert isinstance(message, Message)
    return message


def kinds() -> dict[str, type[Message]]:
    """Every message that is sent, by kind: the classes nothing derives from."""
    return {cls.kind: cls for cls in leaves(Message)}


def leaves(cls: type[Message]) -> list[type[Message]]:
    children = cls.__subclasses__()
    return [leaf for child in children for leaf in leaves(child)] if children else [cls]


@cache
def hints(cls: type) -> dict[str, Any]:
    return get_type_hints(cls)


def build(cls: type, values: dict[str, Any]) -> Any:
    known = hints(cls)
    return cls(**{f.name: revive(known[f.name], values[f.name]) for f in fields(cls) if f.name in values})


def revive(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(hint, UnionType):
        (hint,) = (option for option in get_args(hint) if option is not type(None))
    if is_dataclass(hint) and isinstance(hint, type):
        return build(hint, value)
    return datetime.fromisoformat(value) if hint is datetime else value
