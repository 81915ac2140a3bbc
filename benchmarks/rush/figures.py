"""What a race comes to: figures of one round, medians of all, and how they compare."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from benchmarks.rush.load import Answer


@dataclass(frozen=True)
class Figures:
    """Rates are a second; `whole` is seconds from first request to last answer; p50 and p99 are milliseconds."""

    whole: float
    confirmed: float
    refused: float
    p50: float
    p99: float

    @classmethod
    def of(cls, answers: list[Answer]) -> "Figures":
        """Raises AssertionError where anything but 201 and 409 was answered."""
        statuses = {answer.status for answer in answers}
        assert statuses <= {201, 409}, f"answers {sorted(statuses)}"
        start, end = min(answer.sent for answer in answers), max(answer.came for answer in answers)
        won = [answer.came for answer in answers if answer.status == 201]
        lost = [answer for answer in answers if answer.status == 409 and answer.came > max(won)]
        waits = sorted(answer.came - answer.sent for answer in answers)
        return cls(
            whole=end - start,
            confirmed=len(won) / (max(won) - start),
            refused=len(lost) / (end - max(won)) if lost else 0.0,
            p50=waits[len(waits) // 2] * 1000,
            p99=waits[len(waits) * 99 // 100] * 1000,
        )


def middle(rounds: list[Figures], of: Callable[[Figures], float]) -> float:
    return median(of(figures) for figures in rounds)


def table(found: dict[str, list[Figures]], *, against: str = "bare") -> str:
    """One line for each contestant, with the ratios to `against` where that took part."""
    lines = [f"{'':24}{'whole s':>9}{'201/s':>8}{'409/s':>8}{'p50 ms':>8}{'p99 ms':>8}   of {against}: whole, 201/s"]
    other = found.get(against)
    for name, rounds in found.items():
        whole, won = middle(rounds, lambda f: f.whole), middle(rounds, lambda f: f.confirmed)
        line = f"{name:24}{whole:9.2f}{won:8.0f}{middle(rounds, lambda f: f.refused):8.0f}"
        line += f"{middle(rounds, lambda f: f.p50):8.1f}{middle(rounds, lambda f: f.p99):8.1f}"
        if other:
            ratios = whole / middle(other, lambda f: f.whole), won / middle(other, lambda f: f.confirmed)
            line += f"   {ratios[0]:.2f}, {ratios[1]:.2f}"
        lines.append(line)
    return "\n".join(lines)
