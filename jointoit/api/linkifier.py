"""What mail programs make a link of, in words that somebody else may have written; and how to write them without."""

import re
from functools import cache
from typing import Final

from linkify_it import LinkifyIt
from linkify_it.tlds import TLDS

#: A dot as in a domain: one of those that browsers take for one (UTS 46 section 2.3), with two characters behind it.
DOT: Final = re.compile(r"(?<=\w)[.\u3002\uff0e\uff61](?=\w{2}|\d)")
#: What makes a link without any dot, the most telling first.
MARKS: Final = (":", "@", "/", ".")


@cache
def linkifier() -> LinkifyIt:
    """With every top-level domain there is, addresses in numbers, and mail addresses."""
    return LinkifyIt(options={"fuzzy_ip": True, "fuzzy_link": True, "fuzzy_email": True}).tlds(TLDS, keep_old=True)


def has_link(text: str) -> bool:
    return bool(linkifier().test(text))


def defused(text: str) -> str:
    """The same words, with `[.]` for the dots of domains, so that nothing in them becomes a link."""
    text = DOT.sub("[.]", text)
    for mark in MARKS:
        for found in reversed(linkifier().match(text) or []):
            part = text[found.index : found.last_index]
            text = text[: found.index] + part.replace(mark, f"[{mark}]") + text[found.last_index :]
    return text
