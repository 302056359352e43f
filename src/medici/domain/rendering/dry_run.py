"""What would have become of past renders under other provider settings. Writes nothing."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.adapters.providers.request import Operation, Part, Tier
from medici.domain.rendering.models import RenderJob
from medici.domain.routing.checking import Able
from medici.domain.routing.errors import NoCandidate
from medici.domain.routing.outlook import Outlook, Work
from medici.domain.routing.rules import candidate_chain
from medici.domain.routing.settings import ProviderSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class PastJob:
    """What the choice of a provider depended on."""

    id: UUID
    operation: Operation
    tier: Tier
    parts: tuple[Part, ...]
    masked: bool
    max_pixels: int
    tested: bool = False  # in an experiment, which may have chosen the provider


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one provider would have got. Cost and wait are None where nobody knows them."""

    provider: str
    jobs: int
    percent: float
    cost_micros: int | None  # USD, expected, of all its jobs that have a price
    wait_ms: int | None  # expected, on average


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """How the jobs would have been shared out; ``unserved`` had found nobody."""

    shares: tuple[Share, ...]
    unserved: int
    unpriced: int  # jobs that no price is known of
    cost_micros: int
    wait_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Jobs that change their provider; None is nobody."""

    source: str | None
    target: str | None
    jobs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """Past jobs under the settings in force and under others.

    Neither minds the experiments that ``tested`` jobs took part in.
    """

    jobs: int
    tested: int
    published: Forecast
    draft: Forecast
    moves: tuple[Move, ...]


class Sent(NamedTuple):
    """Whom a job would have gone to, at what cost and after what wait."""

    provider: str
    cost_micros: int | None
    wait_ms: int | None


async def past_jobs(session: AsyncSession, *, limit: int) -> list[PastJob]:
    """Return the youngest jobs, as they were ordered."""
    rows = await session.execute(
        select(
            RenderJob.id,
            RenderJob.operation,
            RenderJob.tier,
            RenderJob.target_parts,
            RenderJob.mask_url,
            RenderJob.max_pixels,
            RenderJob.experiment_id,
        )
        .order_by(RenderJob.id.desc())
        .limit(limit)
    )
    return [_past(row) for row in rows]


def dry_run(
    jobs: Sequence[PastJob],
    *,
    published: ProviderSettings,
    draft: ProviderSettings,
    able: Able,
    outlook: Outlook,
) -> DryRun:
    """Compare whom the jobs go to first under two settings; each draws as it did."""
    before = [_sent(job, published, able, outlook) for job in jobs]
    after = [_sent(job, draft, able, outlook) for job in jobs]
    moves = Counter(
        (old and old.provider, new and new.provider)
        for old, new in zip(before, after, strict=True)
        if (old and old.provider) != (new and new.provider)
    )
    return DryRun(
        jobs=len(jobs),
        tested=sum(job.tested for job in jobs),
        published=_forecast(before),
        draft=_forecast(after),
        moves=tuple(
            Move(source=source, target=target, jobs=many)
            for (source, target), many in moves.most_common()
        ),
    )


def _past(row: Any) -> PastJob:
    return PastJob(
        id=row.id,
        operation=row.operation,
        tier=row.tier,
        parts=tuple(map(Part, row.target_parts)),
        masked=row.mask_url is not None,
        max_pixels=row.max_pixels,
        tested=row.experiment_id is not None,
    )


def _sent(job: PastJob, settings: ProviderSettings, able: Able, outlook: Outlook) -> Sent | None:
    try:
        first = candidate_chain(
            settings,
            job.operation,
            job.tier,
            job.parts,
            able(job.operation, job.tier, masked=job.masked),
            seed=job.id.bytes,
            outlook=outlook,
        )[0]
    except NoCandidate:
        return None
    work = Work(first.provider, first.model, job.operation, job.tier)
    return Sent(first.provider, outlook.cost_micros(work, job.max_pixels), outlook.wait_ms(work))


def _forecast(sent: Sequence[Sent | None]) -> Forecast:
    served = [each for each in sent if each is not None]
    providers = Counter(each.provider for each in served)
    prices = _known(each.cost_micros for each in served)
    return Forecast(
        shares=tuple(
            _share(name, [each for each in served if each.provider == name], len(sent))
            for name, _ in providers.most_common()
        ),
        unserved=len(sent) - len(served),
        unpriced=len(served) - len(prices),
        cost_micros=sum(prices),
        wait_ms=_average(_known(each.wait_ms for each in served)),
    )


def _share(provider: str, sent: Collection[Sent], of: int) -> Share:
    prices = _known(each.cost_micros for each in sent)
    return Share(
        provider=provider,
        jobs=len(sent),
        percent=round(100 * len(sent) / of, 2),
        cost_micros=sum(prices) if prices else None,
        wait_ms=_average(_known(each.wait_ms for each in sent)),
    )


def _known(figures: Iterable[int | None]) -> list[int]:
    return [figure for figure in figures if figure is not None]


def _average(figures: Sequence[int]) -> int | None:
    return round(sum(figures) / len(figures)) if figures else None
