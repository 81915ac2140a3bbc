"""docs/scale.md quotes what the simulation prints; smaller worlds keep the same promises, and their controls fail."""

import pytest

from benchmarks.scale import Sale, World, dice_of, report
from config.env import ROOT

SMALL = World(rate=20_000, seconds=0.5, seats=1_000, shards=4, crashes=(0.05, 0.25))


@pytest.mark.parametrize("seed", range(3))
def test_the_simulated_sale_is_fair_and_exact(seed: int) -> None:
    assert len(report(SMALL, seed)) == 9


@pytest.mark.parametrize("seed", range(3))
def test_no_row_is_filled_beyond_its_share_and_none_less(seed: int) -> None:
    sale = Sale(SMALL, dice_of(seed)).run()

    assert sale.taken == sale.shares
    assert len(set(sale.seated)) == SMALL.seats


def test_the_paper_quotes_what_the_simulation_prints() -> None:
    quoted = (ROOT / "docs" / "scale.md").read_text().partition("```text\n")[2].partition("```")[0]

    assert quoted.splitlines() == report(World(), seed=1)
