"""What a kind of problem is, and those of HTTP and of this toolkit (RFC 9457)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from django.conf import settings

from jointoit.errors import NotFound

MEDIA_TYPE: Final = "application/problem+json"
INVALID_DETAIL: Final = "Some values are not valid; the member errors names each."
SERVER: Final = "https://events.example.org"
REQUEST: Final = "urn:uuid:3f0f9d0e-8b0c-4f0e-9d5e-2a1d6f6f7a10"


@dataclass(frozen=True)
class ProblemType:
    """`sentence` is what a client usually reads in `detail`; the page tells the others, and an example.

    `remedy` says what to do next, `explanation` more about how it comes; `shown` are further members of the answer.
    """

    code: str
    status: int
    sentence: str
    remedy: str = ""
    explanation: str = ""
    shown: Mapping[str, object] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return title_of(self.code)

    @property
    def uri(self) -> str:
        return f"{settings.PUBLIC_URL}/problems/{self.code}/"

    def example(self, server: str = SERVER) -> dict[str, Any]:
        """What an answer with this problem looks like."""
        shown = {
            name: value.replace("{server}", server) if isinstance(value, str) else value
            for name, value in self.shown.items()
        }
        return {
            "type": f"{server}/problems/{self.code}/",
            "title": self.title,
            "status": self.status,
            "detail": self.sentence,
            "code": self.code,
            "instance": REQUEST,
            **shown,
        }


def errors(place: str, code: str, detail: str, *, by: str = "pointer") -> Mapping[str, object]:
    """The member `errors` with one entry."""
    return {"errors": [{by: place, "code": code, "detail": detail}]}


@cache
def title_of(code: str) -> str:
    words = code.replace("_", " ").capitalize()
    return re.sub(r"\b(json|url)\b", lambda found: found[0].upper(), words, flags=re.IGNORECASE)


OF_THE_TOOLKIT = (
    ProblemType(
        "bad_request",
        400,
        "The request is not one that HTTP or this service knows how to read.",
        "Compare the request with what the document of this API says of the call.",
    ),
    ProblemType(
        "bad_host",
        400,
        "The Host header names a server that this service does not answer for.",
        "Ask at the public address of the service. Who runs it names further ones in ALLOWED_HOSTS.",
    ),
    ProblemType(
        "invalid",
        400,
        INVALID_DETAIL,
        "Mend each value that `errors` names, by `pointer` in the body or by `parameter` in the address; "
        "then send the request again.",
        shown=errors("#/title", "blank", "This field may not be blank."),
    ),
    ProblemType(
        "invalid_json",
        400,
        "The body must be one complete JSON text.",
        "`errors` says what is wrong: send one JSON object in UTF-8, without a byte order mark, with each member once.",
        shown=errors("#", "not_json", "The body must be one complete JSON text."),
    ),
    ProblemType(
        "invalid_url",
        400,
        "The query has a NUL character or bytes that are not UTF-8.",
        "Write text in the address as UTF-8 in percent-encoding, without NUL.",
        shown=errors("title", "invalid", "This must be text in UTF-8 without NUL characters.", by="parameter"),
    ),
    ProblemType(
        "incomplete_message",
        400,
        "The message ended before its body did, and was not carried out.",
        "Send the whole message again, with as many bytes of body as Content-Length says.",
    ),
    ProblemType(
        "too_many_parameters",
        400,
        "The query has more parameters than the service reads.",
        "Ask with fewer parameters; the document names those that a call reads.",
    ),
    ProblemType(
        "not_authenticated",
        401,
        "Sign in: send an access token, as Authorization: Bearer and the token.",
        "Get a token at `POST /api/token/`, and send it as `Authorization: Bearer …`.",
    ),
    ProblemType(
        "authentication_failed",
        401,
        "The token or the credentials were not accepted.",
        "Send an access token or a key, as `Authorization: Bearer …`; a new pair is at `POST /api/token/`.",
    ),
    ProblemType(
        "permission_denied",
        403,
        "You may see this, but you may not do it.",
        "Ask whoever owns or manages it to do this, or for the role that may.",
    ),
    ProblemType(
        "not_found",
        404,
        NotFound.message,
        "Look at the address and the id. Where somebody may see it, sign in as one who may.",
        explanation="It does not exist, or it is hidden from you; the two look the same.",
    ),
    ProblemType(
        "method_not_allowed",
        405,
        "This address does not know the method; Allow names those that it knows.",
        "Use a method that the header Allow names.",
    ),
    ProblemType(
        "not_acceptable",
        406,
        "The answer cannot be given in any media type that Accept names.",
        "Name one of the media types in `detail` in Accept, or leave the header out.",
    ),
    ProblemType(
        "conflict",
        409,
        "The state of things does not allow this step.",
        "Read it again, and decide anew by what it is now.",
    ),
    ProblemType(
        "gone",
        410,
        "It was here once, and will not be again.",
        "Begin anew where `detail` says.",
    ),
    ProblemType(
        "length_required",
        411,
        "Send a Content-Length.",
        "Send the body as a whole, with a Content-Length.",
        explanation="A body in chunks is not taken, because where it was cut off cannot be seen; a proxy that reads "
        "the whole request before it hands it on gives it a length.",
    ),
    ProblemType(
        "body_too_large",
        413,
        "The body is larger than the service reads.",
        "Send less: a body may have 256 KiB.",
    ),
    ProblemType(
        "url_too_long",
        414,
        "The address with its query is longer than the service reads.",
        "Ask for less at once: path and query may have 16 KiB together.",
    ),
    ProblemType(
        "unsupported_media_type",
        415,
        "Bodies are JSON in UTF-8, sent as application/json, not compressed.",
        "Send `Content-Type: application/json`, the body in UTF-8, and no Content-Encoding.",
    ),
    ProblemType(
        "throttled",
        429,
        "Too many requests; wait as long as Retry-After says.",
        "Wait as long as Retry-After says, then go on more slowly; RateLimit-Policy names the rates.",
    ),
    ProblemType(
        "internal_error",
        500,
        "A fault of the service. It is logged under the id of the request.",
        "Try again later. If it stays, tell whoever runs the service the id in `instance`, which stands in the log.",
    ),
    ProblemType(
        "busy",
        503,
        "Others were first to what this request needs; try again in a moment.",
        "Send the same request again after Retry-After seconds.",
    ),
    ProblemType(
        "database_unavailable",
        503,
        "The database is away; try again in a moment.",
        "Send the same request again after Retry-After seconds; with an Idempotency-Key a POST is done once.",
    ),
)
#: The first of each status: what to say when nothing more is known.
BY_STATUS: Mapping[int, ProblemType] = {kind.status: kind for kind in reversed(OF_THE_TOOLKIT)}
