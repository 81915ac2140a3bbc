"""Strict reading of query parameters: a known one is given once and is well formed, or the answer is 400 naming it.

The parameters of a view are a serializer, as its body is, of the fields below; what is not among them is ignored.
Nothing here repeats what the client sent.
"""

import re
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

LONGEST_TEXT = 200
LARGEST_ID = 2**63 - 1


class WholeNumberParameter(serializers.IntegerField):
    """ASCII digits without sign, space or leading zero, from `min_value` to `max_value`."""

    def __init__(self, *, min_value: int, max_value: int, **kwargs: Any) -> None:
        super().__init__(min_value=min_value, max_value=max_value, required=False, **kwargs)
        self.error_messages["invalid"] = f"A whole number from {min_value} to {max_value}."

    def to_internal_value(self, data: Any) -> int:
        # The length goes first: int() of a very long text is slow, and refused by Python with another error.
        if len(data) > 19 or not re.fullmatch("0|[1-9][0-9]*", data):
            self.fail("invalid")
        number = int(data)
        if not self.min_value <= number <= self.max_value:  # type: ignore[operator]
            self.fail("invalid")
        return number


@extend_schema_field({"type": "integer", "format": "int64", "minimum": 1, "maximum": LARGEST_ID})
class IdParameter(WholeNumberParameter):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=LARGEST_ID, **kwargs)


class BooleanParameter(serializers.BooleanField):
    default_error_messages: ClassVar[dict[str, Any]] = {"invalid": "Either true or false."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)

    def to_internal_value(self, data: Any) -> bool:
        if data not in ("true", "false"):
            self.fail("invalid")
        return bool(data == "true")


class TextParameter(serializers.CharField):
    """Any text of at most `max_length` characters; empty, it counts as left out."""

    def __init__(self, *, max_length: int = LONGEST_TEXT, **kwargs: Any) -> None:
        told: dict[str, Any] = {"max_length": f"At most {max_length} characters."}
        shared: dict[str, Any] = {"required": False, "allow_blank": True, "trim_whitespace": False}
        super().__init__(max_length=max_length, error_messages=told, **shared | kwargs)


class ParameterSerializer(serializers.Serializer[Any]):
    """The query parameters that a view knows, in the order of the document.

    Whether one that is required is there, the view says.
    """


def read(request: Request, *kinds: type[ParameterSerializer]) -> dict[str, Any]:
    """The parameters that were given, clean. Raises ValidationError, which names each that is wrong.

    Field by field: a serializer copies all of its fields for each request, and most of them are not given.
    """
    given = request.query_params
    if not given:
        return {}
    found: dict[str, Any] = {}
    refused: dict[str, Any] = {}
    for kind in kinds:
        own: dict[str, Any] = {}
        for name, field in kind._declared_fields.items():
            if name in given:
                try:
                    own[name] = read_one(field, given.getlist(name))
                except serializers.ValidationError as error:
                    refused[name] = error.detail
        if not refused and own:
            found |= kind().validate(own)
    if refused:
        raise serializers.ValidationError(refused)
    return {name: value for name, value in found.items() if value != ""}


def read_one(field: serializers.Field[Any, Any, Any, Any], values: list[str]) -> Any:
    if len(values) > 1:
        raise serializers.ValidationError("Give this parameter once.", code="repeated")
    return field.run_validation(values[0])
