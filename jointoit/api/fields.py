"""Serializer fields that take exactly one shape and never guess: a number is no text, a text is no number.

Messages say what would be right; none repeats what was sent.
"""

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Final
from zoneinfo import available_timezones

import idna
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
#: Marks that turn the direction of what comes behind them, also outside of the text (UAX 9 section 2.2).
OVERRIDES: Final = re.compile(r"[\u202a-\u202e]")
ISOLATES: Final = frozenset("\u2066\u2067\u2068")
END_OF_ISOLATE: Final = "\u2069"
CONTROLS_BUT_TAB_AND_LINE_FEED: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
#: Letters and symbols by category that draw nothing: Hangul fillers and the empty Braille pattern.
BLANKS: Final = frozenset("\u115f\u1160\u3164\uffa0\u2800")
#: RFC 3339 and, of ISO 8601, what programs write besides and nobody can mistake: no seconds (Java), `+0200` (Python's
#: and Java's formats), `+02` (PostgreSQL).
MOMENT: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt]((?:[01]\d|2[0-3]):[0-5]\d)(?::([0-5]\d|60)(?:\.(\d+))?)?"
    r"([Zz]|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)",
    re.ASCII,
)
#: So that every moment can be told in every time zone, and the clocks of the year after it in a calendar.
FIRST: Final = datetime.min.replace(tzinfo=UTC) + timedelta(days=1)
LAST: Final = datetime(9998, 12, 31, tzinfo=UTC)
#: RFC 5321 section 4.1.2 `Dot-string`, without the quoted form that nobody uses and many programs mistake.
LOCAL_PART: Final = re.compile(r"(?=.{1,64}\Z)[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*", re.ASCII)
MAX_EMAIL: Final = 254  # RFC 5321 section 4.5.3.1.3, less the angle brackets
NOT_A_PLACE: Final = frozenset({"Factory", "localtime", "posixrules"})


def is_visible(text: str) -> bool:
    """Whether a reader would see anything at all: some letter, number, punctuation mark or symbol."""
    return any(unicodedata.category(character)[0] in "LNPS" and character not in BLANKS for character in text)


def closes_isolates(text: str) -> bool:
    """Whether each mark that isolates a direction is ended within the text, and nothing else is."""
    depth = 0
    for character in text:
        depth += (character in ISOLATES) - (character == END_OF_ISOLATE)
        if depth < 0:
            return False
    return depth == 0


class LineField(serializers.CharField):
    """One line of text in NFC, counted in characters: no control or line-separator characters, something to see."""

    forbidden: ClassVar[re.Pattern[str]] = CONTROLS
    one_line: ClassVar[bool] = True
    default_error_messages: ClassVar["dict[str, StrOrPromise]"] = {
        "invalid": "This must be text.",
        "control_characters": "This must not have control characters.",
        "invisible": "This must have something to see.",
        "direction_marks": "This must not turn the direction of the text around it.",
    }

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        text = unicodedata.normalize("NFC", data)
        if self.forbidden.search(text):
            self.fail("control_characters")
        if text and not is_visible(text):
            self.fail("invisible")
        if self.one_line and (OVERRIDES.search(text) or not closes_isolates(text)):
            self.fail("direction_marks")
        return text.strip() if self.trim_whitespace else text


class TextField(LineField):
    """Text of several lines in NFC; line ends of any system become LF, tabs stay, other controls are refused."""

    forbidden = CONTROLS_BUT_TAB_AND_LINE_FEED
    one_line = False

    def to_internal_value(self, data: Any) -> str:
        return super().to_internal_value(re.sub("\r\n?", "\n", data) if isinstance(data, str) else data)


class StrictIntegerField(serializers.IntegerField):
    """A JSON number without a fraction, however it is written; neither a text nor a truth value is one.

    JSON Schema takes 3.0 for an integer (2020-12 validation, section 6.1.1), and so does every client of the document.
    """

    default_error_messages: ClassVar["dict[str, StrOrPromise]"] = {"invalid": "This must be a whole number."}

    def to_internal_value(self, data: Any) -> int:
        if type(data) is float and data.is_integer():
            return int(data)
        if type(data) is not int:
            self.fail("invalid")
        return data


class StrictBooleanField(serializers.BooleanField):
    default_error_messages: ClassVar["dict[str, StrOrPromise]"] = {"invalid": "This must be true or false."}

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid")
        return data


class ChoiceField(serializers.ChoiceField):
    """One of a few words, exactly; the message lists them."""

    def __init__(self, choices: Any, **kwargs: Any) -> None:
        super().__init__(choices, **kwargs)
        self.error_messages["invalid_choice"] = f"One of: {', '.join(str(choice) for choice in self.choices)}."

    def to_internal_value(self, data: Any) -> Any:
        if data == "" and self.allow_blank:
            return ""
        if not isinstance(data, str) or data not in self.choice_strings_to_values:
            self.fail("invalid_choice")
        return self.choice_strings_to_values[data]


class DateTimeField(serializers.DateTimeField):
    """ISO 8601 with its offset, as MOMENT says, in capital or small letters; given out in UTC with `Z`."""

    default_error_messages: ClassVar["dict[str, StrOrPromise]"] = {
        "invalid": "This must be a date and time with an offset or Z, such as 2030-05-17T18:00:00Z.",
        "leap_second": "Leap seconds cannot be kept; use the second before or after.",
        "out_of_range": "This lies outside of the years that can be kept.",
    }

    def to_internal_value(self, value: Any) -> datetime:
        found = MOMENT.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            self.fail("invalid")
        day, minute, second, fraction, offset = found.groups()
        if second == "60":
            self.fail("leap_second")
        zone = "+00:00" if offset in "Zz" else offset
        seconds = f"{second or '00'}.{(fraction or '')[:6]:0<6}"
        try:
            moment = datetime.fromisoformat(f"{day}T{minute}:{seconds}{zone}").astimezone(UTC)
        except ValueError:
            self.fail("invalid")
        except OverflowError:
            self.fail("out_of_range")
        if not FIRST <= moment <= LAST:
            self.fail("out_of_range")
        return moment

    def to_representation(self, value: datetime) -> str:
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


@extend_schema_field({"type": "string", "format": "email", "maxLength": MAX_EMAIL, "examples": ["ada@example.org"]})
class EmailField(serializers.CharField):
    """An address that every mail server takes: ASCII before the one @, after it a domain, kept as A-labels.

    The part before the @ keeps its case: to whom it belongs is for the receiving server to say (RFC 5321 section 2.4).
    """

    default_error_messages: ClassVar["dict[str, StrOrPromise]"] = {
        "invalid": "This must be an e-mail address, such as ada@example.org."
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": MAX_EMAIL, "trim_whitespace": False} | kwargs)

    def to_internal_value(self, data: Any) -> str:
        local, at, domain = data.strip(" ").partition("@") if isinstance(data, str) else ("", "", "")
        if not at or len(domain) > MAX_EMAIL or not LOCAL_PART.fullmatch(local):
            self.fail("invalid")
        try:
            name = idna.encode(domain, uts46=True, std3_rules=True).decode("ascii")
        except UnicodeError:
            self.fail("invalid")
        if "." not in name.strip(".") or name.endswith(".") or name.rpartition(".")[2].isdigit():
            self.fail("invalid")
        return f"{local}@{name}"


@lru_cache(maxsize=1)
def time_zones() -> frozenset[str]:
    """The IANA names that are places or offsets, read from the disk once."""
    return frozenset(name for name in available_timezones() if not name.startswith(("posix/", "right/"))) - NOT_A_PLACE


@extend_schema_field({"type": "string", "format": "iana-time-zone", "examples": ["Europe/Berlin", "UTC"]})
class TimeZoneField(serializers.CharField):
    """The IANA name of a time zone, in its exact spelling."""

    default_error_messages: ClassVar["dict[str, StrOrPromise]"] = {
        "invalid": "This must be an IANA time zone name, such as Europe/Berlin."
    }

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or data not in time_zones():
            self.fail("invalid")
        return data
