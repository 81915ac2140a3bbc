"""Strict reading of query parameters: a known one is given once and is well formed, or the answer is 400 naming it.

The fields serve both ways in: `Parameters` for a view that reads by itself, and the filters of a FilterSet
(`jointoit.api.lists.filtering`). Nothing here repeats what the client sent.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Self

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from rest_framework import serializers

from jointoit.api.fields import DateTimeField
from jointoit.api.problems.handlers import InvalidParameters

LONGEST_TEXT = 200
LARGEST_ID = 2**63 - 1
MOMENT = DateTimeField()


# ── Fields ────────────────────────────────────────────────────────────────────────────────────────────────────────────


class StrictField(forms.Field, ABC):
    """A parameter that is absent (None) or well formed; an empty value is neither, unless `empty_is_absent`."""

    widget = forms.TextInput
    empty_is_absent = False
    problem = "This is not a value of this parameter."

    def clean(self, value: Any) -> Any:
        if value is None or (value == "" and self.empty_is_absent):
            return None
        if "\0" in value:
            raise ValidationError("NUL is not allowed.", code="invalid")
        return self.parse(value)

    def __deepcopy__(self, memo: Any) -> Self:
        """A filter that is copied takes its field along; nothing changes one of these."""
        return self

    @abstractmethod
    def parse(self, value: str) -> Any:
        """The value that `value` spells. Raises ValidationError; what it says must not repeat `value`."""

    def refuse(self) -> ValidationError:
        return ValidationError(self.problem, code="invalid")


class WholeNumberField(StrictField):
    """ASCII digits without sign, space or leading zero, from `smallest` to `largest`."""

    def __init__(self, *, smallest: int, largest: int, **options: Any) -> None:
        super().__init__(**options)
        self.smallest, self.largest = smallest, largest
        self.problem = f"A whole number from {smallest} to {largest}."

    def parse(self, value: str) -> int:
        # The length goes first: int() of a very long text is slow, and refused by Python with another error.
        if len(value) <= 19 and re.fullmatch("0|[1-9][0-9]*", value) and self.smallest <= int(value) <= self.largest:
            return int(value)
        raise self.refuse()


class IdField(WholeNumberField):
    def __init__(self, **options: Any) -> None:
        super().__init__(smallest=1, largest=LARGEST_ID, **options)


class ChoiceField(StrictField):
    """One of `choices`, given as plain values or as Django's pairs of value and label."""

    def __init__(self, *, choices: Iterable[Any], **options: Any) -> None:
        super().__init__(**options)
        self.values = [str(choice[0] if isinstance(choice, tuple) else choice) for choice in choices]
        self.problem = f"One of: {', '.join(self.values)}."

    def parse(self, value: str) -> str:
        if value not in self.values:
            raise ValidationError(self.problem, code="invalid_choice")
        return value


class BooleanField(StrictField):
    problem = "Either true or false."

    def parse(self, value: str) -> bool:
        if value not in ("true", "false"):
            raise self.refuse()
        return value == "true"


class TextField(StrictField):
    """Any text of at most `longest` characters; what it is looked for in decides what its characters mean."""

    empty_is_absent = True

    def __init__(self, *, longest: int = LONGEST_TEXT, **options: Any) -> None:
        super().__init__(**options)
        self.longest = longest

    def parse(self, value: str) -> str:
        if len(value) > self.longest:
            raise ValidationError(f"At most {self.longest} characters.", code="max_length")
        return value


class TimestampField(StrictField):
    problem = "A time with an offset, such as 2030-05-01T18:00:00Z (RFC 3339)."

    def parse(self, value: str) -> datetime:
        try:
            return MOMENT.to_internal_value(value)
        except serializers.ValidationError:
            raise self.refuse() from None


# ── Reading ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class Parameters:
    """Reads known parameters one by one and keeps what is wrong until `check`, so that all is told at once."""

    def __init__(self, query: QueryDict) -> None:
        self.query = query
        self.problems: list[tuple[str, str, str]] = []

    def read(self, name: str, field: forms.Field) -> Any:
        """The clean value; None when it is absent or wrong (then `check` raises)."""
        if self.is_repeated(name):
            return None
        try:
            return field.clean(self.query.get(name))
        except ValidationError as error:
            self.refuse(name, error)
            return None

    def is_repeated(self, name: str) -> bool:
        if len(self.query.getlist(name)) < 2:
            return False
        self.problems.append((name, "Give this parameter once.", "repeated"))
        return True

    def refuse(self, name: str, error: ValidationError) -> None:
        self.problems += [(name, each.messages[0], each.code or "invalid") for each in error.error_list]

    def check(self) -> None:
        """Raise InvalidParameters when something was wrong."""
        if self.problems:
            raise InvalidParameters(self.problems)
