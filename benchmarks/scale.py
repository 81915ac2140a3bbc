"""docs/scale.md played through: 100,000 people a second for the seats of one event, with gates ahead of the database.

`python -m benchmarks.scale`: a simulation with a clock of its own, the same for the same seed. Each part has a control
that shows what it is for.
"""

import random
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from itertools import count


@dataclass(frozen=True)
class World:
    """Times in seconds, rates a second."""

    rate: int = 100_000
    seconds: float = 1.0
    gates: int = 20
    slice: float = 0.05  # gates count the people of so long a time, then ask for that many numbers
    skew: float = 0.01  # how far a gate's clock may be off, either way
    seats: int = 5_000
    shards: int = 16
    commit: float = 0.002  # one row, one commit after the other
    walk: float = 0.05  # the longest that an admitted person's request takes to the database
    absent: float = 0.1  # the share of those who are admitted and never come
    ticket: float = 2.0  # how long an admission is good
    ahead: int = 150  # admissions that may be out for one row: those who never come, and a moment's work
    crashes: tuple[float, ...] = (0.2, 0.6)  # when the one who admits starts anew, knowing the database alone


Person = tuple[float, int]  # when they came, by the one true clock, and to which gate


def crowd(world: World, dice: random.Random) -> list[Person]:
    moments = sorted(dice.uniform(0, world.seconds) for _ in range(round(world.rate * world.seconds)))
    return [(moment, dice.randrange(world.gates)) for moment in moments]


# ── Numbers: who is before whom ───────────────────────────────────────────────────────────────────────────────────────


def numbered(people: list[Person], world: World, dice: random.Random) -> list[Person]:
    """In the order of their numbers: slice by slice, in each the gates in a drawn order, at a gate as they came."""
    clocks = [dice.uniform(-world.skew, world.skew) for _ in range(world.gates)]
    draws: dict[int, list[float]] = {}

    def place(person: Person) -> tuple[int, float]:
        moment, gate = person
        cut = int((moment + clocks[gate] + world.skew) / world.slice)
        if cut not in draws:
            draws[cut] = [dice.random() for _ in clocks]
        return cut, draws[cut][gate]

    return sorted(people, key=place)  # stable: who came first to a gate stays first there


def first_to_the_database(people: list[Person], world: World, dice: random.Random) -> list[Person]:
    """The control: whoever's request gets through, over gates that are not equally busy."""
    delays = [dice.expovariate(1 / 0.3) for _ in range(world.gates)]
    return sorted(people, key=lambda person: person[0] + dice.expovariate(1 / delays[person[1]]))


def overtaken(order: list[Person]) -> float:
    """The most seconds by which somebody with a smaller number came later."""
    latest, worst = 0.0, 0.0
    for moment, _ in order:
        latest = max(latest, moment)
        worst = max(worst, latest - moment)
    return worst


# ── Seats: admitted as many as there are, and counted by rows that cannot be overfilled ───────────────────────────────


@dataclass
class Sale:
    world: World
    dice: random.Random
    wall: bool = True  # whether a row refuses what goes beyond its share
    sharded: bool = True
    taken: list[int] = field(default_factory=list)
    out: list[int] = field(default_factory=list)  # admissions of each row that may still be used
    seated: list[int] = field(default_factory=list)  # numbers
    refused: list[int] = field(default_factory=list)
    admitted: int = 0
    ended: float = 0.0

    def __post_init__(self) -> None:
        rows = self.world.shards if self.sharded else 1
        self.shares = [self.world.seats // rows + (row < self.world.seats % rows) for row in range(rows)]
        self.taken, self.out, self.free_at = [0] * rows, [0] * rows, [0.0] * rows
        self.agenda: list[tuple[float, int, Callable[[float], None]]] = []
        self.order, self.era = count(), 0

    def at(self, moment: float, step: Callable[[float], None]) -> None:
        heappush(self.agenda, (moment, next(self.order), step))

    def run(self) -> "Sale":
        for moment in self.world.crashes:
            self.at(moment, self.crash)
        self.admit(0.0)
        while self.agenda:
            moment, _, step = heappop(self.agenda)
            step(moment)
        return self

    def admit(self, now: float) -> None:
        """Let in the next numbers: no more than seats that are neither taken nor promised, nor than a row can serve."""
        for row, share in enumerate(self.shares):
            while self.out[row] < min(self.world.ahead, share - self.taken[row]):
                self.out[row] += 1
                self.let_in(now, self.admitted, row)
                self.admitted += 1  # the next number

    def let_in(self, now: float, number: int, row: int) -> None:
        era = self.era
        now = max(now, number / self.world.rate + self.world.slice)  # nobody has a number before their slice is over
        if self.dice.random() < self.world.absent:
            self.at(now + self.world.ticket, lambda later: self.give_back(later, row, era))
        else:
            self.at(now + self.dice.uniform(0, self.world.walk), lambda later: self.queue(later, number, row, era))

    def queue(self, now: float, number: int, row: int, era: int) -> None:
        """Wait for the row: one commit after the other."""
        self.free_at[row] = max(now, self.free_at[row]) + self.world.commit
        self.at(self.free_at[row], lambda later: self.commit(later, number, row, era))

    def commit(self, now: float, number: int, row: int, era: int) -> None:
        if self.wall and self.taken[row] >= self.shares[row]:
            self.refused.append(number)
        else:
            self.taken[row] += 1
            self.seated.append(number)
            self.ended = now
        self.give_back(now, row, era)

    def give_back(self, now: float, row: int, era: int) -> None:
        """An admission is used, or was good for too long; one from before a crash is nobody's business any more."""
        if era == self.era:
            self.out[row] -= 1
            self.admit(now)

    def crash(self, now: float) -> None:
        """Who admits starts anew: the database tells the seats that are taken, nobody the admissions that are out."""
        self.era += 1
        self.out = [0] * len(self.out)
        self.admit(now)

    @property
    def passed_over(self) -> int:
        """How many came to the database in time and were refused though a later number has a seat."""
        return sum(number < max(self.seated) for number in self.refused)


def report(world: World, seed: int) -> list[str]:
    """Everything, in lines. Raises AssertionError where what the paper promises does not hold."""
    people, bound = crowd(world, dice_of(seed)), world.slice + 2 * world.skew
    fair = overtaken(numbered(people, world, dice_of(seed)))
    unfair = overtaken(first_to_the_database(people, world, dice_of(seed)))
    assert fair <= bound < unfair
    sale, one_row = Sale(world, dice_of(seed)).run(), Sale(world, dice_of(seed), sharded=False).run()
    calm, open_rows = (
        Sale(replace(world, crashes=()), dice_of(seed)).run(),
        Sale(world, dice_of(seed), wall=False).run(),
    )
    assert len(sale.seated) == len(calm.seated) == len(one_row.seated) == world.seats < len(open_rows.seated)
    assert calm.refused == []
    return f"""\
{len(people):,} people in {world.seconds:g} s at {world.gates} gates, {world.seats:,} seats, seed {seed}
numbers       nobody is overtaken by who came more than {fair * 1000:.0f} ms later (bound: {bound * 1000:.0f} ms)
  control     without numbers: {unfair * 1000:,.0f} ms
seats         {len(sale.seated):,} sold in {sale.ended:.1f} s over {world.shards} rows, {sale.admitted:,} admitted,
              {len(people) - sale.admitted:,} never reached the database
  one row     {len(one_row.seated):,} sold in {one_row.ended:.1f} s
  calm        without a crash nobody who was admitted is refused; with {len(world.crashes)}: {len(sale.refused):,},
              {sale.passed_over:,} of them before a later number
  control     rows that do not check: {len(open_rows.seated):,} sold""".splitlines()


def dice_of(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311  drawn again the same


if __name__ == "__main__":
    print("\n".join(report(World(), int(sys.argv[1]) if len(sys.argv) > 1 else 1)))
