"""What a change of an experiment's set-up does to a comparison that is under way. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from medici.domain.assignments.definition import Namespace
from medici.domain.assignments.models import AnalysisMode, Experiment, ExperimentStatus
from medici.domain.assignments.versions import version
from medici.domain.experiments.form import Audience, SetUp, set_up_of
from medici.domain.experiments.overlaps import contains

FIRST_PHASE = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Where an experiment stands after a change.

    ``begins``: its phase starts at that moment; ``renewed``: it is another phase than before,
    ``because`` of what differs. A phase that is not under way yet may be changed at will.
    ``redrawn``: everybody is drawn anew; else ``removed`` names the variants that users had and
    that are gone.
    """

    status: ExperimentStatus
    phase: int = FIRST_PHASE
    bucket_version: int = 0
    begins: bool = False
    renewed: bool = False
    resumed: bool = False
    redrawn: bool = False
    because: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


def first_course(wanted: SetUp) -> Course:
    """Return where a new experiment stands."""
    status = ExperimentStatus.RUNNING if wanted.is_active else ExperimentStatus.DRAFT
    return Course(status=status, begins=wanted.is_active)


def course(experiment: Experiment, wanted: SetUp, *, rebucket: bool) -> Course:
    """Return where an experiment stands after it is set up as ``wanted``.

    One that was archived lives again, with everybody drawn anew.
    """
    known = set_up_of(experiment)
    revived = experiment.status is ExperimentStatus.ARCHIVED
    redrawn = rebucket or revived
    because = tuple(_differences(known, wanted))
    under_way = experiment.phase_started_at is not None
    renewed = redrawn or (under_way and bool(because))
    return Course(
        status=_status(experiment.status, wanted),
        phase=experiment.phase + renewed,
        bucket_version=experiment.bucket_version + redrawn,
        begins=wanted.is_active and (renewed or not under_way),
        renewed=renewed,
        resumed=wanted.is_active and (revived or experiment.status is ExperimentStatus.PAUSED),
        redrawn=redrawn,
        because=because,
        removed=() if redrawn else _removed(experiment, known, wanted),
    )


def seed(experiment_id: str, bucket_version: int) -> str:
    """Return what users are hashed with; another version of it draws everybody anew."""
    return f"{experiment_id}:v{bucket_version}" if bucket_version else experiment_id


def _removed(experiment: Experiment, known: SetUp, wanted: SetUp) -> tuple[str, ...]:
    if experiment.status is ExperimentStatus.DRAFT:
        return ()  # nobody had any yet
    return tuple(each for each in known.variant_ids if each not in wanted.variant_ids)


def _status(status: ExperimentStatus, wanted: SetUp) -> ExperimentStatus:
    if wanted.is_active:
        return ExperimentStatus.RUNNING
    return ExperimentStatus.DRAFT if status is ExperimentStatus.DRAFT else ExperimentStatus.PAUSED


def _differences(known: SetUp, wanted: SetUp) -> Iterator[str]:
    """Name in words what makes users before and after the change incomparable."""
    before, after = set(known.variant_ids), set(wanted.variant_ids)
    if after - before:
        yield "a variant was added"
    if before - after:
        yield "a variant was removed"
    if before == after and _shares(known) != _shares(wanted):
        yield "the weights changed"
    if _configs_differ(known, wanted):
        yield "the config of a variant changed"
    if known.control != wanted.control:
        yield "another variant is the control"
    if known.primary_metric.casefold() != wanted.primary_metric.casefold():
        yield "the primary metric changed"
    yield from _differences_of_people(known, wanted)
    yield from _differences_of_judging(known, wanted)


def _differences_of_people(known: SetUp, wanted: SetUp) -> Iterator[str]:
    if wanted.traffic_percent < known.traffic_percent:
        yield "fewer users take part"
    if not _admits(wanted.audience, known.audience):
        yield "the targeting became narrower"
    if not _keeps(known.namespace, wanted.namespace):
        yield "the namespace became narrower"
    if known.exposure_mode is not wanted.exposure_mode:
        yield "exposure is counted otherwise"


def _differences_of_judging(known: SetUp, wanted: SetUp) -> Iterator[str]:
    if known.analysis_mode is not wanted.analysis_mode:
        yield "the analysis mode changed"
    elif (
        wanted.analysis_mode is not AnalysisMode.SEQUENTIAL
        and known.planned_sample_size != wanted.planned_sample_size
    ):
        yield "the planned sample size changed"


def _shares(set_up: SetUp) -> list[tuple[str, Fraction]]:
    """Return who gets which share, in order: the order decides whose hash falls where."""
    weights = [(each.variant_id, Fraction(each.weight)) for each in set_up.variants]
    total = sum(weight for _, weight in weights)
    return [(variant_id, weight / total) for variant_id, weight in weights]


def _configs_differ(known: SetUp, wanted: SetUp) -> bool:
    configs = {each.variant_id: each.config for each in known.variants}
    return any(configs.get(each.variant_id, each.config) != each.config for each in wanted.variants)


def _admits(wide: Audience, narrow: Audience) -> bool:
    """Tell whether everybody whom ``narrow`` lets in is let in by ``wide`` too."""
    lists = (
        (wide.platform, narrow.platform),
        (wide.country, narrow.country),
        (wide.plan_id, narrow.plan_id),
    )
    return (
        all(_covers(some, others) for some, others in lists)
        and _reaches_down(wide.app_version_min, narrow.app_version_min)
        and (bool(narrow.new_users_only) or not wide.new_users_only)
    )


def _covers(wide: tuple[str, ...] | None, narrow: tuple[str, ...] | None) -> bool:
    return wide is None or (narrow is not None and set(wide) >= set(narrow))


def _reaches_down(wide: str | None, narrow: str | None) -> bool:
    if wide is None:
        return True
    lower, upper = version(wide), version(narrow or "")
    return lower is not None and upper is not None and lower <= upper


def _keeps(known: Namespace | None, wanted: Namespace | None) -> bool:
    return wanted is None or (known is not None and contains(wanted, known))
