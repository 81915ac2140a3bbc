"""What a race comes to: figures of one round, medians of all, and how they compare."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from benchmarks.rush.load import Answer


@dataclass(frozen=True)
class Figures:
    """Rates are a second; `whole` is seconds from first request to last answer; p50 and p99 are milliseconds, as
    is `work`, the processor time that server and PostgreSQL spent on one request.

    Where `ended` is false the race took longer than anybody waits for; `whole` is a lower bound then.
    """

    ended: bool
    whole: float
    confirmed: float
    refused: float
    p50: float
    p99: float
    work: float

    @classmethod
    def of(cls, answers: list[Answer], people: int, worked: float) -> "Figures":
        """`worked` is in seconds. Raises AssertionError where anything but 201 and 409 was answered."""
        ended = len(answers) == people
        statuses = {answer.status for answer in answers}
        assert statuses <= {201, 409}, f"answers {sorted(statuses)}"
        start, end = min(answer.sent for answer in answers), max(answer.came for answer in answers)
        won = [answer.came for answer in answers if answer.status == 201]
        lost = [answer for answer in answers if answer.status == 409 and answer.came > max(won)]
        waits = sorted(answer.came - answer.sent for answer in answers)
        return cls(
            ended=ended,
            whole=end - start,
            confirmed=len(won) / (max(won) - start),
            refused=len(lost) / (end - max(won)) if lost else 0.0,
            p50=waits[len(waits) // 2] * 1000,
            p99=waits[len(waits) * 99 // 100] * 1000,
            work=worked / len(answers) * 1000,
        )


def middle(rounds: list[Figures], of: Callable[[Figures], float]) -> float:
    return median(of(figures) for figures in rounds)


def table(found: dict[str, list[Figures]], against: tuple[str, ...]) -> str:
    """One line for each contestant, with the ratios to those of `against` that took part."""
    present = [name for name in against if name in found]
    head = "".join(f"   of {name}: whole, 201/s,   CPU" for name in present)
    lines = [f"{'':24}{'whole s':>9}{'201/s':>8}{'409/s':>8}{'p50 ms':>8}{'p99 ms':>8}{'CPU ms':>8}{head}"]
    for name, rounds in found.items():
        bound = "" if all(figures.ended for figures in rounds) else ">"
        line = f"{name:24}{bound + format(middle(rounds, lambda f: f.whole), '.2f'):>9}"
        line += f"{middle(rounds, lambda f: f.confirmed):8.0f}{middle(rounds, lambda f: f.refused):8.0f}"
        line += f"{middle(rounds, lambda f: f.p50):8.1f}{middle(rounds, lambda f: f.p99):8.1f}"
        line += f"{middle(rounds, lambda f: f.work):8.2f}"
        lines.append(line + "".join(compared(rounds, found[other], other) for other in present))
    return "\n".join(lines)


def compared(rounds: list[Figures], others: list[Figures], name: str) -> str:
    whole = middle(rounds, lambda f: f.whole) / middle(others, lambda f: f.whole)
    won = middle(rounds, lambda f: f.confirmed) / middle(others, lambda f: f.confirmed)
    bound = "" if all(figures.ended for figures in others) else "<"
    work = middle(rounds, lambda f: f.work) / middle(others, lambda f: f.work)
    return f"{bound + format(whole, '.3f'):>{len(name) + 14}}{won:>7.2f}{work:>6.2f}"
