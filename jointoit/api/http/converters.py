"""Path converters."""

from django.urls import register_converter


class IdConverter:
    """A positive 64-bit integer in its one canonical form; anything else is no address of ours, hence 404."""

    regex = "[1-9][0-9]{0,18}"

    def to_python(self, value: str) -> int:
        if (number := int(value)) >= 2**63:
            raise ValueError
        return number

    def to_url(self, value: int) -> str:
        return str(value)


register_converter(IdConverter, "id")
