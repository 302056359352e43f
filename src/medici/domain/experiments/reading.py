"""Reading experiments: what was set up, and beside it what automation keeps about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from sqlalchemy import Select, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.assignments.errors import ExperimentNotFound
from medici.domain.assignments.models import Experiment, ExperimentRuntime, ExperimentStatus
from medici.domain.experiments.form import namespace_of
from medici.domain.experiments.overlaps import Neighbour

Found: TypeAlias = tuple[Experiment, ExperimentRuntime]
BOTH: Select[Experiment, ExperimentRuntime] = select(Experiment, ExperimentRuntime).join(
    ExperimentRuntime, ExperimentRuntime.experiment_id == Experiment.experiment_id
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a page of the list ends."""

    updated_at: datetime
    experiment_id: str


async def experiment(session: AsyncSession, experiment_id: str) -> Found:
    """Return one experiment, archived ones too.

    Raises:
        ExperimentNotFound: there is none of that id.
    """
    return _insist(await _one(session, experiment_id, BOTH), experiment_id)


async def locked(session: AsyncSession, experiment_id: str) -> Found:
    """Return the same as it is stored now, locked until the transaction ends.

    Whoever changes either row takes both locks by this, so that nobody waits crosswise.

    Raises:
        ExperimentNotFound: there is none of that id.
    """
    return _insist(await find_locked(session, experiment_id), experiment_id)


async def find_locked(session: AsyncSession, experiment_id: str) -> Found | None:
    """Return the same, and None where there is none of that id."""
    # Not the key: assignments that are being written refer to it and must not wait.
    locking = BOTH.with_for_update(key_share=True)
    wanted = locking.execution_options(populate_existing=True)
    return await _one(session, experiment_id, wanted)


async def page(
    session: AsyncSession, *, limit: int, archived: bool = False, after: Place | None = None
) -> Sequence[Found]:
    """Return experiments, the last changed first; ``archived`` has those as well."""
    wanted = BOTH
    if not archived:
        wanted = wanted.where(Experiment.status != ExperimentStatus.ARCHIVED)
    if after is not None:
        place = tuple_(Experiment.updated_at, Experiment.experiment_id)
        wanted = wanted.where(place < tuple_(after.updated_at, after.experiment_id))
    newest = wanted.order_by(Experiment.updated_at.desc(), Experiment.experiment_id.desc())
    return [(found[0], found[1]) for found in await session.execute(newest.limit(limit))]


async def neighbours(session: AsyncSession, experiment_id: str) -> Sequence[Neighbour]:
    """Return the experiments that run beside one."""
    beside = select(Experiment.experiment_id, Experiment.seed, Experiment.namespace).where(
        Experiment.status == ExperimentStatus.RUNNING, Experiment.experiment_id != experiment_id
    )
    return [
        Neighbour(
            experiment_id=each.experiment_id, seed=each.seed, namespace=namespace_of(each.namespace)
        )
        for each in await session.execute(beside.order_by(Experiment.experiment_id))
    ]


async def _one(
    session: AsyncSession, experiment_id: str, wanted: Select[Experiment, ExperimentRuntime]
) -> Found | None:
    found = (
        await session.execute(wanted.where(Experiment.experiment_id == experiment_id))
    ).one_or_none()
    return (found[0], found[1]) if found else None


def _insist(found: Found | None, experiment_id: str) -> Found:
    if found is None:
        raise ExperimentNotFound(f"there is no experiment {experiment_id}")
    return found
