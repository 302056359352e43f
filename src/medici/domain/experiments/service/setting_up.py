"""Setting experiments up: making, changing, resuming and reviving them."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.assignments.changes import changed
from medici.domain.assignments.models import Experiment, ExperimentRuntime
from medici.domain.experiments import advice, reading
from medici.domain.experiments.audit import Act
from medici.domain.experiments.checking import check, check_id
from medici.domain.experiments.errors import (
    Refusal,
    RevisionConflict,
    SetUpRefused,
    VariantIsRolledOut,
)
from medici.domain.experiments.form import SetUp
from medici.domain.experiments.overlaps import Neighbour, check_apart
from medici.domain.experiments.phases import Course, course, first_course, seed
from medici.domain.experiments.reading import Found
from medici.domain.experiments.service.applying import apply, made, shown, write_down
from medici.domain.experiments.variables import experiment_policy
from medici.domain.routing import treatment
from medici.domain.routing.queries import published
from medici.kernel.db.driver.lent import driver_of
from medici.kernel.db.locks import lock_names


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """What came of setting an experiment up; ``warnings`` are sentences for people."""

    experiment: Experiment
    runtime: ExperimentRuntime
    warnings: tuple[str, ...]


async def put(
    session: AsyncSession,
    experiment_id: str,
    wanted: SetUp,
    *,
    act: Act,
    registered: Collection[str] = (),
    revision: int | None = None,
    rebucket: bool = False,
) -> Put:
    """Make an experiment, or change it; one that was archived lives again.

    ``registered`` names the providers that may be enabled here. ``revision`` is the one that the
    change was made for, 0 where there is no experiment yet; None is any. ``rebucket`` draws
    everybody anew.

    Raises:
        SetUpRefused: it cannot be set up so.
        UnknownPrimaryMetric, UnknownGuardrail: as ``check`` does.
        RevisionConflict: it is at another revision.
        VariantIsRolledOut: the variant that the ladder hands out would be gone.
    """
    check_id(experiment_id)
    check(experiment_id, wanted)
    await _take_turn(session, experiment_id, wanted)
    found = await reading.find_locked(session, experiment_id)
    _check_revision(found, revision)
    await _check_routing(session, wanted, registered)
    follows = course(found[0], wanted, rebucket=rebucket) if found else first_course(wanted)
    if wanted.is_active:
        mine = Neighbour(
            experiment_id=experiment_id,
            seed=seed(experiment_id, follows.bucket_version),
            namespace=wanted.namespace,
        )
        check_apart(mine, await reading.neighbours(session, experiment_id))
    return await _carried_out(session, experiment_id, found, wanted, follows, act=act)


async def _carried_out(
    session: AsyncSession,
    experiment_id: str,
    found: Found | None,
    wanted: SetUp,
    follows: Course,
    *,
    act: Act,
) -> Put:
    policy = await experiment_policy(session)
    if found:
        _check_ladder(found[1], follows)
    rows = found or made(experiment_id, act=act)
    before = shown(rows[0]) if found else {}
    apply(rows, wanted, follows, policy=policy, act=act)
    for row in rows:  # one by one: the second refers to the first
        session.add(row)
        await session.flush()
    await write_down(session, rows[0], follows, before=before, act=act)
    changed(session)
    warnings = (*advice.of_change(follows, rows[1]), *advice.standing(wanted, policy))
    return Put(experiment=rows[0], runtime=rows[1], warnings=warnings)


async def _take_turn(session: AsyncSession, experiment_id: str, wanted: SetUp) -> None:
    """Let those wait who make the same experiment, or take users of the same namespace."""
    hashed = {experiment_id} | ({wanted.namespace.id} if wanted.namespace else set())
    await lock_names(await driver_of(session), [f"experiment:{each}" for each in hashed])


def _check_revision(found: Found | None, revision: int | None) -> None:
    now = found[0].revision if found else 0
    if revision not in {None, now}:
        raise RevisionConflict(now)


def _check_ladder(runtime: ExperimentRuntime, follows: Course) -> None:
    winner = runtime.winner_variant_id
    if winner in follows.removed and runtime.rollout_percent:
        raise VariantIsRolledOut(winner)


async def _check_routing(session: AsyncSession, wanted: SetUp, registered: Collection[str]) -> None:
    treated = [each for each in wanted.variants if treatment.ROUTING in each.config]
    if not treated:
        return
    settings = (await published(session)).settings
    for each in treated:
        for problem in treatment.check(settings, each.config[treatment.ROUTING], registered):
            raise SetUpRefused(Refusal.ROUTING, f"{each.variant_id}: {problem.message}")
