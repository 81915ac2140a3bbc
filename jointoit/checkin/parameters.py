"""What the lists of the door may be narrowed by. All parameters combine."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.fields import empty

from jointoit.api.fields import ChoiceField
from jointoit.api.lists.pagination import KeysetPagination
from jointoit.api.lists.parameters import (
    LONGEST_TEXT,
    BooleanParameter,
    IdParameter,
    ParameterSerializer,
    TextParameter,
    WholeNumberParameter,
)
from jointoit.checkin.models import Scan

MIN_SEARCH = 2
ROSTER_PAGE, LARGEST_ROSTER_PAGE = 1_000, 5_000


class ScanParameters(ParameterSerializer):
    result = ChoiceField(choices=Scan.Result.choices, required=False)
    gate = TextParameter(max_length=50, help_text="Only scans at this gate, written as it is.")
    registration = IdParameter(help_text="Only scans of this registration.")
    conflict = BooleanParameter(help_text="Whether it let somebody in after another scan had.")


class DryRunParameters(ParameterSerializer):
    dry_run = BooleanParameter(help_text="`true`: say what would be answered, and write nothing.")


@extend_schema_field({"type": "string", "pattern": r"\S\s*\S", "minLength": MIN_SEARCH, "maxLength": LONGEST_TEXT})
class SearchWordsParameter(TextParameter):
    def run_validation(self, data: Any = empty) -> str:
        words = " ".join(str(super().run_validation(data)).split())
        if len(words) < MIN_SEARCH:
            raise serializers.ValidationError(f"At least {MIN_SEARCH} characters.", "min_length")
        return words


class SearchParameters(ParameterSerializer):
    q = SearchWordsParameter(
        required=True, help_text="Each word is a part of the name, in any case, with or without accents."
    )


class RosterParameters(ParameterSerializer):
    since = TextParameter(max_length=500, help_text="`since` of an earlier answer: only what changed after it.")
    as_of = TextParameter(max_length=500, help_text="Stands in `next`; opaque.")


class RosterPageParameters(ParameterSerializer):
    page_size = WholeNumberParameter(
        min_value=1, max_value=LARGEST_ROSTER_PAGE, help_text=f"Rows on a page; {ROSTER_PAGE} unless given."
    )
    cursor = TextParameter(max_length=8192, help_text="Taken from `next` or `previous`; opaque and signed.")


class RosterPagination(KeysetPagination):
    """Large pages: a device reads them once, before the network is gone."""

    parameters_class = RosterPageParameters
    default_size, largest_size = ROSTER_PAGE, LARGEST_ROSTER_PAGE
