"""Words and near-words: the SQL behind `search`. The text is folded, as the columns are.

The columns `words` and `is_full` are kept by triggers (migration 0002) and are no fields of the model, so that rows are
read and saved without them. A rank is in double precision: sent to a client and back, it is the same number.
"""

from collections.abc import Sequence
from typing import Final

#: More words than that, and shorter ones, must be right.
MOST_GUESSED: Final = 8
SHORTEST_GUESSED: Final = 5
COLUMNS: Final = ("event.title_folded", "event.location_folded")


def words_of(text: str, *, typos: bool) -> dict[str, str]:
    """The values that a search compares with: the whole text or, where typos are forgiven, `word_0`, … and `rest`.

    A typo is looked for in the first few words that are long enough to have one.
    """
    guessed = [word for word in text.split() if len(word) >= SHORTEST_GUESSED][:MOST_GUESSED] if typos else []
    rest = [word for word in text.split() if word not in guessed]
    return {f"word_{number}": word for number, word in enumerate(guessed)} | (
        {"rest": " ".join(rest)} if rest or not guessed else {}
    )


def matching(name: str) -> str:
    """The tsquery for every word of a value, compared as the trigger compares: without case and accents."""
    return f"plainto_tsquery('simple', events_plain_text(%({name})s))"


def exactly() -> tuple[str, str]:
    """A condition and a rank: each word, as it is written."""
    return f"event.words @@ {matching('rest')}", f"ts_rank(event.words, {matching('rest')})::float8"


def nearly(names: Sequence[str]) -> tuple[str, str]:
    """A condition and a rank: each word, or one much like it in the title or the place.

    A letter may be wrong, missing, added, or two swapped; how much that is, says `pg_trgm.word_similarity_threshold`.
    The rank adds up the nearness of the words.
    """
    conditions = [f"event.words @@ {matching(name)}" if name == "rest" else near(name) for name in names]
    rank = " + ".join(nearness(name) for name in names if name != "rest") or "0"
    return " AND ".join(conditions), f"({rank})::float8"


def near(name: str) -> str:
    alike = " OR ".join(f"%({name})s::text <%% {column}" for column in COLUMNS)
    return f"({alike} OR event.words @@ {matching(name)})"


def nearness(name: str) -> str:
    """From 0 to 1: how much of a word some part of title or place has."""
    return f"greatest({', '.join(f'word_similarity(%({name})s::text, {column})' for column in COLUMNS)})"
