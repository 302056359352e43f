"""What is read for one window, once for all figures of an answer."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.analytics import queries
from medici.domain.analytics.queries import BinKey, Bins, Cell, Freshness
from medici.domain.analytics.spans import Window
from medici.domain.insights.figures import LatencyFigure
from medici.domain.insights.tallies import FINISHED, WAY, Tally, is_end, is_render, tally

FEW = 2_000  # timed renders of a window, up to which percentiles are exact


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The cells of a window and its latencies: each of them where they are few, else by bin."""

    window: Window
    cells: Sequence[Cell]
    total: Tally
    bins: Bins = field(default_factory=dict)
    latencies: Sequence[tuple[BinKey, int]] | None = None

    def latency(self, *, provider: str = "", operation: str = "", tier: str = "") -> LatencyFigure:
        """Return how long finished renders took, all of them or those that are named."""
        wanted = {"provider": provider, "operation": operation, "tier": tier}
        if self.latencies is not None:
            return LatencyFigure.exact(took for told, took in self.latencies if _fits(told, wanted))
        added: Counter[int] = Counter()
        for told, bins in self.bins.items():
            if _fits(told, wanted):
                added.update(bins)
        return LatencyFigure.of_bins(added)

    def count(self, name: str) -> int:
        """Count our own facts of a name."""
        return sum(cell.events for cell in self.cells if cell.trusted and cell.name == name)

    def credits(self, *names: str) -> int:
        return sum(cell.credits for cell in self.cells if cell.trusted and cell.name in names)

    def codes(self, provider: str, operation: str) -> Sequence[tuple[str, int]]:
        """Return why finished renders of a provider failed, the most frequent first."""
        found: dict[str, int] = defaultdict(int)
        for cell in self.cells:
            here = (cell.provider, cell.operation) == (provider, operation)
            if here and is_render(cell) and is_end(cell) and cell.error_code:
                found[cell.error_code] += cell.events
        return sorted(found.items(), key=lambda each: (-each[1], each[0]))


async def view(session: AsyncSession, window: Window, fresh: Freshness) -> View:
    """Read a window."""
    cells = await queries.cells(session, window, fresh.rolled_to)
    total = tally(cells)
    if total.timed > FEW:
        bins = await queries.latency_bins(session, window, fresh.rolled_to)
        return View(window=window, cells=cells, total=total, bins=bins)
    names = {cell.name for cell in cells if is_render(cell) and is_end(cell) and cell.timed}
    latencies = await queries.latencies(session, window, names) if names else []
    return View(window=window, cells=cells, total=total, latencies=latencies)


def _fits(told: BinKey, wanted: Mapping[str, str]) -> bool:
    ended = told.name.startswith("render_") and told.name not in WAY and told.status in FINISHED
    return ended and all(getattr(told, key) == value for key, value in wanted.items() if value)
