"""Words and near-words: the expressions behind `search`.

The columns `words` and `is_full` are kept by triggers (migration 0002) and are no fields of the model, so that rows are
read and saved without them.
"""

from functools import reduce
from operator import add
from typing import Any

from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Expression, F, Func, Q, Value
from django.db.models.functions import Greatest

from jointoit.api.expressions import TableExpression
from jointoit.events.folding import fold

#: More words than that, and shorter ones, must be right.
MOST_GUESSED = 8
SHORTEST_GUESSED = 5


IS_FULL = TableExpression("{table}.is_full", models.BooleanField())
WORDS = TableExpression("{table}.words", SearchVectorField())


class AllWords(Func):
    """The tsquery for every word of a text, compared as the trigger compares: without case and accents."""

    template = "plainto_tsquery('simple', events_plain_text(%(expressions)s))"
    output_field = models.TextField()


class Matches(Func):
    """words @@ query"""

    template, arg_joiner, output_field = "(%(expressions)s)", " @@ ", models.BooleanField()


class Rank(Func):
    """How well a text fits, in double precision: sent to a client and back, it is the same number."""

    template, function, output_field = "%(function)s(%(expressions)s)::double precision", "ts_rank", models.FloatField()


class Near(Func):
    """word <% text: some part of the text is about as the word, by pg_trgm.word_similarity_threshold."""

    template, arg_joiner, output_field = "(%(expressions)s)", " <%% ", models.BooleanField()


class Nearness(Func):
    """From 0 to 1: how much of a word some part of the text has."""

    template = "word_similarity(%(expressions)s)::double precision"
    output_field = models.FloatField()


def has_words(text: str | Expression) -> Matches:
    return Matches(WORDS, AllWords(folded(text)))


def rank_of(text: str | Expression) -> Rank:
    return Rank(WORDS, AllWords(folded(text)))


def folded(text: str | Expression) -> Expression:
    """A text as the columns have it; what stands for one will be."""
    return Value(fold(text)) if isinstance(text, str) else text


def guessed(text: str) -> list[str]:
    """The words of a text that a typo is looked for in, folded: the first few that are long enough to have one."""
    return [word for word in fold(text).split() if len(word) >= SHORTEST_GUESSED][:MOST_GUESSED]


def has_nearly(text: str) -> Q:
    """Each word, or one much like it in the title or the place: a letter wrong, missing, added, or two swapped."""
    words = guessed(text)
    exact = [word for word in fold(text).split() if word not in words]
    conditions = Q(has_words(" ".join(exact))) if exact or not words else Q()
    for word in words:
        near = [Q(Near(Value(word), F(column))) for column in ("title_folded", "location_folded")]
        conditions &= near[0] | near[1] | Q(has_words(word))
    return conditions


def nearness_of(text: str) -> Any:
    """The sum over the words, each in whichever of title and place it is nearer to."""
    columns = ("title_folded", "location_folded")
    words = guessed(text) or [""]
    return reduce(add, (Greatest(*(Nearness(Value(word), F(column)) for column in columns)) for word in words))
