"""What generators of clients need, and no single view knows: a hook of drf-spectacular over the whole document.

Ids have 64 bits, enums of parameters a name, paths an example, answers a sentence.
"""

from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any, Final

#: Members that hold an id, or several.
IDS: Final = frozenset({"id", "ids", "event", "events", "registration", "organizer", "attendee", "fact"})
UUID_EXAMPLE: Final = "3f0f9d0e-8b0c-4f0e-9d5e-2a1d6f6f7a10"
TEXT_EXAMPLES: Final = {"code": "not_found", "message": "msg_2b7f0c9a1e4f43c88d5e2a1d6f6f7a10"}
#: Enums that only parameters have, by the name of the parameter.
PARAMETER_ENUMS: Final = {
    "count": "Counting",
    "ordering": "EventOrdering",
    "role": "RoleFilter",
    "bucket": "StatisticsBucketSize",
    "from": "FeedStart",
}
NULL: Final = {"$ref": "#/components/schemas/Null"}


def for_clients(result: dict[str, Any], **others: Any) -> dict[str, Any]:
    schemas: dict[str, Any] = result["components"]["schemas"]
    for schema in schemas.values():
        for name, member in schema.get("properties", {}).items():
            tidy(name, member)
    schemas.pop("Null", None)
    for operation in (each for item in result["paths"].values() for each in item.values()):
        complete(operation, schemas)
    for schema in schemas.values():
        if names := names_of(schema.get("enum", ())):
            schema["x-enum-varnames"] = names
    result["components"]["schemas"] = dict(sorted(schemas.items()))
    return result


def tidy(name: str, member: dict[str, Any]) -> None:
    if name in IDS:
        give_64_bits(member)
    if NULL in member.get("oneOf", ()):
        member["oneOf"][member["oneOf"].index(NULL)] = {"type": "null"}


def complete(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    if "parameters" in operation:
        operation["parameters"] = [named(with_example(each), schemas) for each in operation["parameters"]]
    for status, response in operation["responses"].items():
        if "$ref" not in response and not response.get("description"):
            response["description"] = f"{HTTPStatus(int(status)).phrase}."


def give_64_bits(member: dict[str, Any]) -> None:
    for schema in (member, member.get("items", {})):
        if schema.get("type") in ("integer", ["integer", "null"]):
            schema.setdefault("format", "int64")


def with_example(parameter: dict[str, Any]) -> dict[str, Any]:
    if parameter.get("in") != "path" or "example" in parameter or "examples" in parameter:
        return parameter
    schema = parameter["schema"]
    others = UUID_EXAMPLE if schema.get("format") == "uuid" else TEXT_EXAMPLES.get(parameter["name"], "A1B2C3")
    return {**parameter, "example": 7 if schema.get("type") == "integer" else others}


def named(parameter: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """The same, with its enum as a schema of its own: the one that bodies have, or a new one."""
    schema = parameter.get("schema", {})
    if "enum" not in schema:
        return parameter
    known = (name for name, each in schemas.items() if each.get("enum") == schema["enum"])
    name = next(known, "") or PARAMETER_ENUMS[parameter["name"]]
    schemas.setdefault(name, {"type": "string", "enum": schema["enum"]})
    return {**parameter, "schema": {"$ref": f"#/components/schemas/{name}"}}


def names_of(values: Iterable[object]) -> list[str]:
    """Names for the constants of an enum of which not every value begins with a letter, which generators number."""
    texts = [str(value) for value in values]
    return [*constants(texts)] if any(not text[:1].isalpha() for text in texts) else []


def constants(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        yield f"{text.lstrip('-')}{'_descending' if text.startswith('-') else ''}".upper()
