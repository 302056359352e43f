"""Renders by whatever tells them apart."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from medici.domain.analytics.queries import counts_by
from medici.domain.insights.figures import LatencyFigure, MoneyFigure, RateFigure, usd
from medici.domain.insights.queueing import Fate
from medici.domain.insights.tallies import Tally, is_render, tallies_by
from medici.domain.insights.views import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What the renders that have something in common came to."""

    total_events: int
    render_success: int
    render_failed: int
    success_rate: float
    avg_latency_ms: float
    total_cost_usd: float
    avg_cost_usd: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderShare(Share):
    provider: str
    p95_latency_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationShare(Share):
    operation: str
    p95_latency_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformShare(Share):
    """``total_events`` are all facts of the platform, ``render_events`` those of renders."""

    platform: str
    render_events: int
    render_success_rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusShare:
    status: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeCount:
    code: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderRenders:
    """How one provider did at one operation."""

    provider: str
    operation: str
    total: int
    success_rate: RateFigure
    error_codes: Sequence[CodeCount]
    p95_ms: int | None
    cost: Sequence[MoneyFigure]


@dataclass(frozen=True, slots=True, kw_only=True)
class TierRenders:
    """Previews, or finals."""

    total: int
    completed: int
    failed: int
    success_rate: RateFigure
    latency_ms: LatencyFigure
    cost: Sequence[MoneyFigure]


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderCost:
    """``per_completed`` is in US dollars; failed renders that cost something are in it."""

    total: Sequence[MoneyFigure]
    per_completed: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderHealth:
    """Renders that ended in a window; waits, fallbacks and stubs are of its newest thousand."""

    total: int
    completed: int
    failed: int
    cancelled: int
    in_progress: int  # more were begun than ended
    success_rate: RateFigure
    latency_ms: LatencyFigure
    queue_wait_ms: LatencyFigure | None
    fallback_rate: RateFigure | None
    stub_rate: RateFigure | None
    sampled: int
    cost: RenderCost
    by_provider: Sequence[ProviderRenders]
    by_type: dict[str, TierRenders]
    preview_to_final_rate: RateFigure


def by_provider(seen: View) -> list[ProviderShare]:
    """Tell renders apart by their provider, the one with most of them first."""
    return [
        ProviderShare(
            provider=name, p95_latency_ms=seen.latency(provider=name).p95, **asdict(share)
        )
        for name, share in _shares(seen, "provider")
    ]


def by_operation(seen: View) -> list[OperationShare]:
    """Tell renders apart by what was to be done."""
    return [
        OperationShare(
            operation=name, p95_latency_ms=seen.latency(operation=name).p95, **asdict(share)
        )
        for name, share in _shares(seen, "operation")
    ]


def by_platform(seen: View) -> list[PlatformShare]:
    """Tell all facts apart by the platform that they come from."""
    renders = dict(_shares(seen, "platform"))
    facts = {name: count for name, count in counts_by(seen.cells, "platform").items() if name}
    told = [
        _of_platform(name, count, renders.get(name, NO_RENDERS)) for name, count in facts.items()
    ]
    return sorted(told, key=lambda share: (-share.total_events, share.platform))


def _of_platform(name: str, facts: int, renders: Share) -> PlatformShare:
    figures = asdict(renders) | {"total_events": facts}
    return PlatformShare(
        platform=name,
        render_events=renders.total_events,
        render_success_rate=renders.success_rate,
        **figures,
    )


def _shares(seen: View, key: str) -> list[tuple[str, Share]]:
    told = [(name, _share(done)) for name, done in tallies_by(seen.cells, key).items()]
    return sorted(told, key=lambda each: (-each[1].total_events, each[0]))


def _share(done: Tally) -> Share:
    return Share(
        total_events=done.events,
        render_success=done.completed,
        render_failed=done.failed,
        success_rate=done.success_rate,
        avg_latency_ms=done.average_latency_ms,
        total_cost_usd=done.cost_usd,
        avg_cost_usd=done.average_cost_usd,
    )


NO_RENDERS = _share(Tally())


def by_status(seen: View) -> list[StatusShare]:
    """Count the facts of renders by what they say."""
    found: dict[str, int] = {}
    for cell in seen.cells:
        if is_render(cell) and cell.status:
            found[cell.status] = found.get(cell.status, 0) + cell.events
    ordered = sorted(found.items(), key=lambda each: (-each[1], each[0]))
    return [StatusShare(status=status, count=count) for status, count in ordered]


def render_health(seen: View, fate: Fate | None) -> RenderHealth:
    """Put together how renders did."""
    total = seen.total
    tiers = {name: _tier(seen, name) for name in ("preview", "final")}
    return RenderHealth(
        total=total.finished + total.canceled,
        completed=total.completed,
        failed=total.failed,
        cancelled=total.canceled,
        in_progress=max(total.dispatched - total.finished - total.canceled, 0),
        success_rate=RateFigure.of(total.completed, total.finished),
        latency_ms=seen.latency(),
        queue_wait_ms=fate.queue_wait_ms if fate else None,
        fallback_rate=fate.fallback_rate if fate else None,
        stub_rate=fate.stub_rate if fate else None,
        sampled=fate.sampled if fate else 0,
        cost=RenderCost(total=usd(total.cost_micros), per_completed=_per_completed(total)),
        by_provider=_by_provider(seen),
        by_type=tiers,
        preview_to_final_rate=RateFigure.of(tiers["final"].completed, tiers["preview"].completed),
    )


def _tier(seen: View, name: str) -> TierRenders:
    done = tallies_by(seen.cells, "tier").get(name, Tally())
    return TierRenders(
        total=done.finished + done.canceled,
        completed=done.completed,
        failed=done.failed,
        success_rate=RateFigure.of(done.completed, done.finished),
        latency_ms=seen.latency(tier=name),
        cost=usd(done.cost_micros),
    )


def _by_provider(seen: View) -> list[ProviderRenders]:
    done: dict[tuple[str, str], Tally] = {}
    for cell in seen.cells:
        if is_render(cell) and cell.provider:
            done.setdefault((cell.provider, cell.operation), Tally()).add(cell)
    return [
        ProviderRenders(
            provider=provider,
            operation=operation,
            total=each.finished + each.canceled,
            success_rate=RateFigure.of(each.completed, each.finished),
            error_codes=[
                CodeCount(code=code, count=count) for code, count in seen.codes(provider, operation)
            ],
            p95_ms=seen.latency(provider=provider, operation=operation).p95,
            cost=usd(each.cost_micros),
        )
        for (provider, operation), each in sorted(done.items())
        if each.finished or each.canceled
    ]


def _per_completed(total: Tally) -> float | None:
    return round(total.cost_usd / total.completed, 6) if total.completed else None
