"""Path converters."""

from uuid import UUID

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


class MessageConverter:
    """The id of a message to a webhook, as `webhook-id` has it."""

    regex = "msg_[0-9a-f]{32}"

    def to_python(self, value: str) -> UUID:
        return UUID(value.removeprefix("msg_"))

    def to_url(self, value: UUID) -> str:
        return f"msg_{value.hex}"


register_converter(IdConverter, "id")
register_converter(MessageConverter, "msg")
