"""Words and near-words: the SQL behind `search`. The text is folded, as the columns are.

The columns `words` and `is_full` are kept by triggers (migration 0002) and are no fields of the model, so that rows are
read and saved without them.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

#: More words than that, and shorter ones, must be right.
MOST_GUESSED: Final = 8
SHORTEST_GUESSED: Final = 5
COLUMNS: Final = ("event.title_folded", "event.location_folded")


class Search(NamedTuple):
    """What WHERE says, how well a row fits, and the values of both.

    The rank is in double precision: sent to a client and back, it is the same number.
    """

    condition: str
    rank: str
    values: Mapping[str, str]


def words_in(name: str) -> str:
    """The tsquery for every word of a value, compared as the trigger compares: without case and accents."""
    return f"plainto_tsquery('simple', events_plain_text(%({name})s))"


def exactly(text: str) -> Search:
    """Each word, as it is written."""
    words = words_in("search")
    return Search(f"event.words @@ {words}", f"ts_rank(event.words, {words})::float8", {"search": text})


def nearly(text: str) -> Search:
    """Each word, or one much like it in the title or the place: a letter wrong, missing, added, or two swapped.

    How much is like it says `pg_trgm.word_similarity_threshold`. The rank adds up the nearness of the words.
    """
    words = guessed(text)
    exact = [word for word in text.split() if word not in words]
    values = {f"word_{number}": word for number, word in enumerate(words)}
    conditions = [near(name) for name in values]
    if exact or not words:
        conditions.append(f"event.words @@ {words_in('exact')}")
    rank = " + ".join(map(nearness, values)) or "0"
    return Search(" AND ".join(conditions), f"({rank})::float8", {**values, "exact": " ".join(exact)})


def guessed(text: str) -> list[str]:
    """The words of a text that a typo is looked for in: the first few that are long enough to have one."""
    return [word for word in text.split() if len(word) >= SHORTEST_GUESSED][:MOST_GUESSED]


def near(name: str) -> str:
    alike = " OR ".join(f"%({name})s::text <%% {column}" for column in COLUMNS)
    return f"({alike} OR event.words @@ {words_in(name)})"


def nearness(name: str) -> str:
    """From 0 to 1: how much of a word some part of title or place has."""
    return f"greatest({', '.join(f'word_similarity(%({name})s::text, {column})' for column in COLUMNS)})"
