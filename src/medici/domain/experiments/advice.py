"""What a product manager should know about an experiment as it is set up, in sentences. Pure."""

from collections.abc import Iterator

from medici.domain.assignments.models import AnalysisMode, ExperimentRuntime
from medici.domain.experiments.form import SetUp
from medici.domain.experiments.ladder import EVERYBODY
from medici.domain.experiments.metrics.errors import UnknownPrimaryMetric
from medici.domain.experiments.metrics.keys import parse_metric
from medici.domain.experiments.phases import Course
from medici.domain.experiments.variables import ExperimentPolicy


def standing(set_up: SetUp, policy: ExperimentPolicy) -> Iterator[str]:
    """Tell what holds for as long as the experiment is set up so."""
    yield from _of_variants(set_up)
    yield from _of_metric(set_up.primary_metric)
    yield from _of_size(set_up, policy)
    if not set_up.traffic_percent:
        yield "Nobody takes part: traffic_percent is 0."
    yield from policy.warnings


def of_change(course: Course, runtime: ExperimentRuntime) -> Iterator[str]:
    """Tell what a change does to those who take part already; ``runtime`` is as it is after it."""
    if course.redrawn:
        yield "Everybody is drawn anew, and the ladder begins at 0 %."
    if course.removed:
        gone = " and ".join(course.removed)
        yield f"Whoever had {gone} gets the control variant from now on and is not compared."
    if course.renewed:
        yield _about_phase(course)
        yield from _of_ladder(runtime.rollout_percent, runtime.winner_variant_id)


def _of_variants(set_up: SetUp) -> Iterator[str]:
    if len(set_up.variants) == 1:
        yield "There is one variant, so figures and guardrails are shown and nothing is compared."
    for each in set_up.variants:
        if not each.weight:
            yield f"{each.variant_id} has weight 0: nobody new gets it."


def _of_metric(key: str) -> Iterator[str]:
    try:
        tested = parse_metric(key).is_tested
    except UnknownPrimaryMetric:  # by another version of Medici it was known
        yield f"Nothing is measured under {key} any more."
    else:
        if not tested:
            yield f"{key} is shown but not tested, so no variant can win by it."


def _of_size(set_up: SetUp, policy: ExperimentPolicy) -> Iterator[str]:
    planned = set_up.planned_sample_size
    if set_up.analysis_mode is AnalysisMode.FIXED and planned is None:
        yield (
            "Without planned_sample_size the fixed test decides at every look, which finds winners"
            " that are none; plan a size, or use the sequential mode."
        )
    least = policy.minimum_sample_size * len(set_up.variants)
    if planned is not None and planned < least:
        yield f"planned_sample_size is below {least}, the least that a recommendation needs."


def _of_ladder(percent: int, winner: str | None) -> Iterator[str]:
    if percent == EVERYBODY:
        yield f"Everybody gets {winner}, so nobody is compared; to test again, draw everybody anew."
    elif percent:
        yield f"{percent} % of all users get {winner} by the ladder and are not compared."


def _about_phase(course: Course) -> str:
    why = f" because {', '.join(course.because)}" if course.because else ""
    begins = "begins" if course.begins else "will begin"
    if course.redrawn:
        return f"Phase {course.phase} {begins}{why}: what was measured so far is not compared."
    return (
        f"Phase {course.phase} {begins}{why}: users who took part before keep their variant but are"
        " not compared; only users who come from now on are."
    )
