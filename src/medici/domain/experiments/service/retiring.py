"""Taking experiments away: their results stay readable, their assignments if nobody purges them."""

from typing import Any, cast

from sqlalchemy import CursorResult, delete
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.assignments.changes import changed
from medici.domain.assignments.errors import ExperimentNotFound
from medici.domain.assignments.models import Assignment, Experiment, ExperimentStatus, Exposure
from medici.domain.experiments import audit, reading
from medici.domain.experiments.audit import Act, Action


async def archive(session: AsyncSession, experiment_id: str, *, act: Act) -> None:
    """Take an experiment away; what was measured stays.

    Raises:
        ExperimentNotFound: there is none, or it is archived.
    """
    experiment, _ = await reading.locked(session, experiment_id)
    if experiment.status is ExperimentStatus.ARCHIVED:
        raise ExperimentNotFound(f"experiment {experiment_id} is archived")
    _put_away(experiment, act)
    await _write_down(session, experiment, act, {"purged": False})


async def purge(session: AsyncSession, experiment_id: str, *, act: Act) -> None:
    """Take an experiment away, if it is not yet, and forget who had which variant.

    Raises:
        ExperimentNotFound: there is none.
    """
    experiment, _ = await reading.locked(session, experiment_id)
    if experiment.status is not ExperimentStatus.ARCHIVED:
        _put_away(experiment, act)
    forgotten = {
        "exposures": await _forget(session, Exposure, experiment_id),
        "assignments": await _forget(session, Assignment, experiment_id),
    }
    await _write_down(session, experiment, act, {"purged": True, **forgotten})


def _put_away(experiment: Experiment, act: Act) -> None:
    experiment.status = ExperimentStatus.ARCHIVED
    experiment.archived_at = experiment.updated_at = act.now
    experiment.revision += 1


async def _forget(
    session: AsyncSession, table: type[Assignment] | type[Exposure], experiment_id: str
) -> int:
    done = await session.execute(delete(table).where(table.experiment_id == experiment_id))
    return cast("CursorResult[Any]", done).rowcount


async def _write_down(
    session: AsyncSession, experiment: Experiment, act: Act, metadata: dict[str, object]
) -> None:
    await session.flush()
    told = {"revision": experiment.revision, **metadata}
    await audit.record(session, Action.DELETED, experiment.experiment_id, act=act, metadata=told)
    changed(session)
