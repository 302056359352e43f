"""Reading set-ups: parsed once for as long as their content stays the same."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from typing import cast as cast_type

from sqlalchemy import Table, Text, cast, select

from medici.domain.assignments.definition import Definition, definition_of
from medici.domain.assignments.models import Experiment, ExperimentRuntime, ExperimentStatus
from medici.domain.assignments.rows import as_read
from medici.domain.identity.models import User
from medici.kernel.db.driver.query import Query, any_of
from medici.kernel.db.driver.transaction import Driver

PARSED_KEPT = 2048
IN_JSON = ("targeting", "namespace", "overrides", "variants")
PLAIN = (
    "experiment_id",
    "status",
    "control_variant_id",
    "seed",
    "bucket_version",
    "phase",
    "phase_started_at",
    "traffic_percent",
    "exposure_mode",
    "revision",
)
OF_RUNTIME = ("rollout_percent", "winner_variant_id")
TABLE = cast_type("Table", Experiment.__table__)
SETUPS = select(
    *(as_read(TABLE.c[name]) for name in PLAIN),
    *(cast(TABLE.c[name], Text).label(name) for name in IN_JSON),
    *(getattr(ExperimentRuntime, name) for name in OF_RUNTIME),
).outerjoin(ExperimentRuntime, ExperimentRuntime.experiment_id == Experiment.experiment_id)
BY_ID = Query(SETUPS.where(any_of(Experiment.experiment_id, "experiments")))
RUNNING = Query(
    SETUPS.where(Experiment.status == ExperimentStatus.RUNNING).order_by(
        Experiment.created_at, Experiment.experiment_id
    )
)
ARRIVALS = Query(select(User.id, User.created_at).where(any_of(User.id, "users")))


async def definitions(driver: Driver, experiment_ids: Collection[str]) -> dict[str, Definition]:
    """Return experiments by their ids, whether they run or not; unknown ones are left out."""
    if not experiment_ids:
        return {}
    found = map(_parsed, await BY_ID.rows(driver, experiments=experiment_ids))
    return {definition.experiment_id: definition for definition in found}


async def running_definitions(driver: Driver) -> Sequence[Definition]:
    """Return the experiments that run, the oldest first."""
    return [_parsed(row) for row in await RUNNING.rows(driver)]


async def arrivals(driver: Driver, user_ids: Collection[str]) -> Mapping[str, datetime]:
    """Return when users first came; unknown ones are left out."""
    return {row.id: row.created_at for row in await ARRIVALS.rows(driver, users=user_ids)}


@lru_cache(maxsize=PARSED_KEPT)
def _parsed(row: Any) -> Definition:
    """Parse a row of ``SETUPS``; equal rows give the same object."""
    stored = row._asdict()
    of_runtime = {name: stored.pop(name) for name in OF_RUNTIME}
    for name in IN_JSON:
        stored[name] = stored[name] and json.loads(stored[name])
    return definition_of(Experiment(**stored), ExperimentRuntime(**of_runtime))
