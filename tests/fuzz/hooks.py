"""What Schemathesis has to know of this API: how its formats are spelled, and what no schema can refuse."""

from datetime import date
from typing import Any
from urllib.parse import urlencode

import schemathesis
from hypothesis import strategies as st

#: Codes of refusals that follow from a rule or from the state of the service, not from the shape of a value.
RULES = {
    "closes_before_opening", "email_taken", "ends_before_start", "read_only", "in_the_past", "invalid_cursor",
    "invalid_token", "username_taken", "weak_password", "wrong_password", "link_in_name", "cannot_widen", "not_managed",
    "answer_required", "invalid_answer", "needs_options", "address_not_allowed",
    # What JSON Schema has no word for: RFC 7493 in the members that nobody asked for, and text that shows nothing.
    "control_characters", "duplicate_member", "invisible", "leap_second", "not_a_character", "out_of_range",
    "too_deep", "too_large_integer", "too_many_values",
}  # fmt: skip
BLANK = "blank"  # a required text of white space alone
NAMES = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=3, max_size=20)
DAYS = st.dates(date(1900, 1, 1))
PLACES = ("UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Asia/Kathmandu", "Pacific/Kiritimati")

schemathesis.openapi.format("iana-time-zone", st.sampled_from(PLACES))
schemathesis.openapi.format("calendar-date", DAYS.map(lambda day: str(day)[: 4 + day.day % 3 * 3]))
schemathesis.openapi.format("email", st.builds("{}@{}.example".format, NAMES, NAMES))
schemathesis.openapi.format("password", st.builds("correct horse {} battery".format, NAMES))


@schemathesis.hook
def filter_query(context: object, query: Any) -> bool:
    """A request line of more than 64 KiB is refused by the server of HTTP, before there is a service to word it."""
    return len(urlencode(query or {})) < 60_000


@schemathesis.check
def good_shapes_are_refused_by_a_rule_only(ctx: object, response: schemathesis.Response, case: Any):
    """What fits the schema may get 400 only for a reason that no schema can tell: an entry with one of `RULES`."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code != 400:
        return
    if response.headers["content-type"][0].startswith("text/html"):  # a form that is shown again
        return
    entries = response.json().get("errors", [])
    unexplained = [entry for entry in entries if entry["code"] not in {*RULES, BLANK} and not depends(entry)]
    assert entries, response.text
    assert not unexplained, unexplained


def depends(entry: dict[str, str]) -> bool:
    """Whether it is about two things: days that are good by themselves, or two members of which one must be there."""
    if entry.get("parameter") == "date_from":
        return entry["detail"].startswith("Must lie before")
    either_of_two = {"#/token", "#/password", "#/current_password"}
    return entry.get("pointer") in either_of_two and entry["code"] == "required"
