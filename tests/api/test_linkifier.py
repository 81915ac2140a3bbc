"""What becomes a link in a mail program, and what does not any more once it is defused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jointoit.api.linkifier import defused, has_link

LINKS = [
    "https://evil.example/win now", "Claim your prize at https://evil.example/claim", "evil.com", "www.evil.museum",
    "win.evil.app", "mail me@evil.de", "mailto:x@y.de", "//evil.com/x", "1.2.3.4", "http://localhost/a",
    "ftp://a/b", "пример.рф", "evil.com.", "(evil.com)", "HTTPS://EVIL.COM", "a.co/b?c=d@e.fr",
]  # fmt: skip
PLAIN = ["Anna Smith", "J.R.R. Tolkien", "anna.smith", "O'Neill, Jr.", "St. John", "Ἀρχιμήδης", "a/b", "12:30", ""]


@pytest.mark.parametrize("text", LINKS)
def test_a_link_is_found_and_defused(text: str) -> None:
    assert (has_link(text), has_link(defused(text))) == (True, False)


@pytest.mark.parametrize("text", PLAIN)
def test_a_plain_name_is_none(text: str) -> None:
    assert not has_link(text)


def test_the_words_stay_readable() -> None:
    assert defused("Looms at evil.example, 12:30, J.R.R. T.") == "Looms at evil[.]example, 12:30, J.R.R. T."
    assert defused("https://evil.example/claim") == "https[:]//evil[.]example/claim"


PARTS = [
    "http",
    "https",
    ":",
    "/",
    "//",
    ".",
    "@",
    "evil",
    "com",
    "www",
    "de",
    "1",
    "2",
    " ",
    "[",
    "]",
    "(",
    "?",
    "рф",
    "。",
]


@given(st.lists(st.sampled_from(PARTS), max_size=14).map("".join))
def test_nothing_that_is_defused_becomes_a_link(text: str) -> None:
    assert not has_link(defused(text))
