"""Which problems exist (RFC 9457).

Each has a stable code, a status, and a page that the service itself serves at `/problems/<code>/`. Those of HTTP and
of this toolkit are in `kinds`; each `DomainError` and `APIException` of this project adds itself by being defined.
"""

import inspect
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TypeVar

from rest_framework.exceptions import APIException

from jointoit.api.problems.kinds import OF_THE_TOOLKIT, ProblemType, errors
from jointoit.errors import (
    Conflict,
    DomainError,
    Forbidden,
    Gone,
    Invalid,
    ManyInvalid,
    NotFound,
    Reused,
    TooOften,
    Unauthenticated,
    Unavailable,
)

E = TypeVar("E", bound=Exception)

STATUS_OF_KIND: Mapping[type[DomainError], int] = {
    Invalid: 400,
    ManyInvalid: 400,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    TooOften: 429,
    Gone: 410,
    Reused: 422,
    Unavailable: 503,
    DomainError: 409,
}


def status_of(error: type[DomainError]) -> int:
    return next(status for kind, status in STATUS_OF_KIND.items() if issubclass(error, kind))


def descendants(root: type[E]) -> Iterator[type[E]]:
    for child in root.__subclasses__():
        yield child
        yield from descendants(child)


def explanation(error: type) -> str:
    """What the class says of itself, not what it inherits."""
    return inspect.cleandoc(vars(error).get("__doc__") or "")


def known() -> Mapping[str, ProblemType]:
    """Every problem of the running service by its code, those of the toolkit first."""
    return catalogue(tuple(descendants(DomainError)), tuple(descendants(APIException)))


@lru_cache(maxsize=4)
def catalogue(
    rules: tuple[type[DomainError], ...], refusals: tuple[type[APIException], ...]
) -> Mapping[str, ProblemType]:
    """Made once for the classes that there are: a module that is loaded later may define more."""
    types: dict[str, ProblemType] = {}
    for kind in [*OF_THE_TOOLKIT, *of_rules(rules), *of_errors(refusals)]:
        types.setdefault(kind.code, kind)
    return types


def variant(code: str, status: int) -> ProblemType:
    """The problem of this code that has this status: a few codes have two, by where the mistake is noticed."""
    usual = known()[code]
    if usual.status == status:
        return usual
    return next(kind for kind in of_rules(descendants(DomainError)) if (kind.code, kind.status) == (code, status))


def of_rules(rules: Iterable[type[DomainError]]) -> Iterator[ProblemType]:
    for rule in rules:
        if code := getattr(rule, "code", None):
            message, shown = getattr(rule, "message", ""), rule.shown
            if issubclass(rule, Invalid):
                shown = {**shown, **errors(f"#/{getattr(rule, 'shown_field', '')}", code, message)}
            yield ProblemType(code, status_of(rule), message, getattr(rule, "remedy", ""), explanation(rule), shown)


def of_errors(refusals: Iterable[type[APIException]]) -> Iterator[ProblemType]:
    for error in refusals:
        if error.__module__.startswith("jointoit."):
            yield ProblemType(
                str(error.default_code), error.status_code, str(error.default_detail),
                getattr(error, "remedy", ""), explanation(error),
            )  # fmt: skip
