"""Renders counted from cells: how many ended how, after how long, at what cost."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from medici.domain.analytics.adding import CANCELED, COMPLETED, FAILED, ON_THE_WAY
from medici.domain.analytics.queries import Cell
from medici.domain.events.facts import EventName

FINISHED = frozenset((*COMPLETED, *FAILED))
ENDED = FINISHED | frozenset(CANCELED)
WAY = frozenset(ON_THE_WAY)


@dataclass(slots=True, kw_only=True)
class Tally:
    """What some renders came to. Latencies are those of finished renders, costs of all ended."""

    events: int = 0
    dispatched: int = 0
    completed: int = 0
    failed: int = 0
    canceled: int = 0
    timed: int = 0
    latency_ms: int = 0
    costed: int = 0
    cost_micros: int = 0
    credits: int = 0  # of completed renders
    failed_attempts: int = 0

    def add(self, cell: Cell) -> None:
        """Count a cell of render facts."""
        self.events += cell.events
        if cell.name == EventName.RENDER_DISPATCHED:
            self.dispatched += cell.events
        elif cell.name == EventName.RENDER_PROVIDER_ATTEMPT_FAILED:
            self.failed_attempts += cell.events
        elif is_end(cell):
            self._end(cell)

    def _end(self, cell: Cell) -> None:
        self.costed += cell.costed
        self.cost_micros += cell.cost_micros
        if cell.status in CANCELED:
            self.canceled += cell.events
            return
        self.timed += cell.timed
        self.latency_ms += cell.latency_ms
        if cell.status in COMPLETED:
            self.completed += cell.events
            self.credits += cell.credits
        else:
            self.failed += cell.events

    @property
    def finished(self) -> int:
        return self.completed + self.failed

    @property
    def success_rate(self) -> float:
        """Return the percentage of finished renders that succeeded; 0.0 of none."""
        return round(100 * self.completed / self.finished, 2) if self.finished else 0.0

    @property
    def average_latency_ms(self) -> float:
        return round(self.latency_ms / self.timed, 2) if self.timed else 0.0

    @property
    def average_cost_usd(self) -> float | None:
        """Return what a render cost whose provider said what it charged; None of none."""
        return round(self.cost_micros / self.costed / 1_000_000, 6) if self.costed else None

    @property
    def cost_usd(self) -> float:
        return round(self.cost_micros / 1_000_000, 6)


def is_render(cell: Cell) -> bool:
    return cell.trusted and cell.name.startswith("render_")


def is_end(cell: Cell) -> bool:
    """Tell whether a cell of render facts tells how renders ended."""
    return cell.name not in WAY and cell.status in ENDED


def tally(cells: Iterable[Cell]) -> Tally:
    """Count all renders."""
    total = Tally()
    for cell in cells:
        if is_render(cell):
            total.add(cell)
    return total


def tallies_by(cells: Iterable[Cell], key: str) -> dict[str, Tally]:
    """Count renders by one of the things that cells are told apart by; "" is left out."""
    found: dict[str, Tally] = defaultdict(Tally)
    for cell in cells:
        if is_render(cell) and (value := getattr(cell, key)):
            found[value].add(cell)
    return dict(sorted(found.items()))
