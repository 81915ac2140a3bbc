"""What a rule answers when it refuses: a code and a sentence. Only `jointoit.api.problems` knows the statuses."""

from collections.abc import Mapping, Sequence
from typing import ClassVar


class DomainError(Exception):
    """A rule refused.

    `code` is stable and snake_case, `message` is a sentence for a person, `facts` become members of the answer
    (such as the address of what already exists); they never repeat what the client sent. `remedy` says what to do
    next, `shown` what facts look like: both are for the page about the problem, whose explanation is the docstring.
    """

    code: ClassVar[str]
    message: ClassVar[str]
    remedy: ClassVar[str]
    shown: ClassVar[Mapping[str, object]] = {}  # {server} stands for the address of the service

    def __init__(self, message: str | None = None, **facts: object) -> None:
        super().__init__(message or self.message)
        self.facts: Mapping[str, object] = facts


class Conflict(DomainError):
    """The state of things does not allow this step."""


class Forbidden(DomainError):
    """The caller may see this but not do it."""


class NotFound(DomainError):
    """It does not exist, or it is hidden from the caller; the two look the same."""

    code = "not_found"
    message = "Nothing is here for you."


class Gone(DomainError):
    """It was there once, and will not be again."""


class Unauthenticated(DomainError):
    """Who is asking is not known."""


class Invalid(DomainError):
    """A value is wrong; `field` names it as the client knows it, or is the path to it.

    `shown_field` is a field that this happens to, for the page about the problem.
    """

    shown_field: ClassVar[str]

    def __init__(self, message: str | None = None, *, field: str | tuple[str, ...], **facts: object) -> None:
        super().__init__(message, **facts)
        self.field = field


class ManyInvalid(DomainError):
    """Several values are wrong, and all are told at once."""

    code = "invalid"
    message = "Some values are not valid; the member errors names each."

    def __init__(self, errors: Sequence[Invalid]) -> None:
        super().__init__()
        self.errors = errors


class TooOften(DomainError):
    """Done as often as is allowed for now."""

    code = "throttled"

    def __init__(self, message: str | None = None, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after  # seconds


class Reused(DomainError):
    """An id belongs to one content, and came with another."""


class Unavailable(DomainError):
    """Try again later: something needed is busy or away."""

    retry_after: ClassVar[int] = 1  # seconds
