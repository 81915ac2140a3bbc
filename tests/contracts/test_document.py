"""Rules that docs/openapi.yaml keeps, so that a client generated from it is good to use."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

from config import urls
from config.env import ROOT
from jointoit.api.problems.catalogue import descendants, known
from jointoit.api.problems.kinds import OF_THE_TOOLKIT, ProblemType
from jointoit.errors import DomainError

DOCUMENT = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
OPERATIONS = {said["operationId"]: said for item in DOCUMENT["paths"].values() for said in item.values()}
#: The operations that there were from the beginning, under the names that clients have for them.
FIRST = {
    "sign_up", "token", "me_retrieve", "me_update", "me_partial_update", "event_list", "event_create", "event_retrieve",
    "event_update", "event_partial_update", "event_destroy", "event_register", "registration_list",
    "registration_retrieve", "registration_update", "registration_partial_update", "registration_destroy",
}  # fmt: skip
IDS = ("id", "ids", "event", "events", "registration", "organizer", "attendee", "fact")
#: What an answer may leave out: it is told to some, or only where it was asked for.
SOMETIMES = {
    "Attendee": ["email", "first_name", "last_name"],
    "Problem": ["errors", "registration", "seats_taken", "resend", "restart", "parts"],
}
POOR_NAMES = {"password", "Pair", "LinkRequest", "Null"}

Rule = Callable[[], Iterator[str]]


def walk(part: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Every object of the document with its place."""
    if isinstance(part, dict):
        yield place, part
        for name, each in part.items():
            yield from walk(each, f"{place}/{name}")
    elif isinstance(part, list):
        for each in part:
            yield from walk(each, place)


def is_integer(schema: Any) -> bool:
    return schema.get("type") in ("integer", ["integer", "null"])


def parameters() -> Iterator[tuple[str, Any]]:
    for name, said in OPERATIONS.items():
        for parameter in said.get("parameters", ()):
            yield f"{name} {parameter['name']}", parameter


def responses() -> Iterator[tuple[str, str, Any]]:
    for name, said in OPERATIONS.items():
        for status, response in said["responses"].items():
            shared = response.get("$ref", "").rpartition("/")[2]
            yield name, status, DOCUMENT["components"]["responses"][shared] if shared else response


def ids_without_64_bits() -> Iterator[str]:
    for place, schema in walk(DOCUMENT):
        for name in IDS:
            member = schema.get("properties", {}).get(name, {})
            if any(is_integer(each) and each.get("format") != "int64" for each in (member, member.get("items", {}))):
                yield f"{place} {name}"


def members_that_an_answer_may_leave_out() -> Iterator[str]:
    for name, schema in SCHEMAS.items():
        optional = [each for each in schema.get("properties", ()) if each not in schema.get("required", ())]
        allowed = ["count"] if name.startswith("Paginated") else SOMETIMES.get(name, [])
        if not name.endswith("Request") and optional != allowed:
            yield f"{name} {optional}"


def problems() -> dict[str, ProblemType]:
    """Those of the service; tests define others."""
    urls.urlpatterns  # noqa: B018  has loaded every module that defines one
    foreign = {getattr(each, "code", "") for each in descendants(DomainError) if not is_ours(each)}
    return {code: kind for code, kind in known().items() if code not in foreign or kind in OF_THE_TOOLKIT}


def is_ours(error: type[DomainError]) -> bool:
    return error.__module__.startswith("jointoit.")


def codes_that_are_not_listed() -> Iterator[str]:
    yield from problems().keys() ^ set(SCHEMAS["ProblemCode"]["enum"])


def problems_that_do_not_say_what_to_do() -> Iterator[str]:
    yield from (code for code, kind in problems().items() if not kind.remedy.endswith("."))


def members_of_problems_that_are_not_described() -> Iterator[str]:
    described = SCHEMAS["Problem"]["properties"]
    for code, kind in problems().items():
        yield from (f"{code} {name}" for name in kind.example() if name not in described)


def enums_without_a_name() -> Iterator[str]:
    yield from (place for place, parameter in parameters() if "enum" in parameter.get("schema", {}))
    yield from (
        f"{name} {member}"
        for name, schema in SCHEMAS.items()
        for member, each in schema.get("properties", {}).items()
        if "enum" in each or "enum" in each.get("items", {})
    )


def constants_that_generators_would_number() -> Iterator[str]:
    for name, schema in SCHEMAS.items():
        if any(not value[0].isalpha() for value in schema.get("enum", ())) and "x-enum-varnames" not in schema:
            yield name


def new_passwords_that_may_be_short() -> Iterator[str]:
    for place, schema in walk(SCHEMAS):
        if schema.get("format") == "password" and schema["minLength"] != 8:
            yield place


def poor_names() -> Iterator[str]:
    yield from (OPERATIONS.keys() | SCHEMAS.keys()) & POOR_NAMES
    yield from (name for name in SCHEMAS if name.endswith(("RequestRequest", "Enum")))


def paths_without_an_example() -> Iterator[str]:
    yield from (place for place, each in parameters() if each["in"] == "path" and not {*each} & {"example", "examples"})


def answers_without_a_description() -> Iterator[str]:
    yield from (f"{name} {status}" for name, status, response in responses() if not response.get("description"))


def keyed_answers_without_their_headers() -> Iterator[str]:
    keyed = {place.split()[0] for place, each in parameters() if each["name"] == "Idempotency-Key"}
    for name, status, response in responses():
        wanted = {"409": {"Idempotent-Replayed", "Retry-After"}, "201": {"Idempotent-Replayed"}}.get(status, set())
        if name in keyed and not wanted <= response["headers"].keys():
            yield f"{name} {status}"


def creations_of_what_can_be_read_without_their_address() -> Iterator[str]:
    made = {"event_create", "event_duplicate", "event_register", "event_registrations", "sign_up", "transfer_accept"}
    yield from made ^ {name for name, status, each in responses() if status == "201" and "Location" in each["headers"]}


def operations_that_lost_their_name() -> Iterator[str]:
    yield from FIRST - OPERATIONS.keys()


RULES: list[Rule] = [
    ids_without_64_bits, members_that_an_answer_may_leave_out, codes_that_are_not_listed,
    problems_that_do_not_say_what_to_do, members_of_problems_that_are_not_described,
    enums_without_a_name, constants_that_generators_would_number,
    new_passwords_that_may_be_short, poor_names, paths_without_an_example, answers_without_a_description,
    keyed_answers_without_their_headers, creations_of_what_can_be_read_without_their_address,
    operations_that_lost_their_name,
]  # fmt: skip


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_document_has_no(rule: Rule) -> None:
    assert [*rule()] == []


def test_the_document_names_the_server_that_gives_it() -> None:
    assert [server["url"] for server in DOCUMENT["servers"]] == ["/"]
