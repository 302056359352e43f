"""What makes a set-up impossible, looked at in itself. Pure."""

from collections.abc import Iterator, Sequence

from medici.domain.assignments.definition import Namespace, Variant
from medici.domain.assignments.models import AnalysisMode
from medici.domain.assignments.rules import HOLDOUT_SEED
from medici.domain.experiments.errors import Refusal, SetUpRefused
from medici.domain.experiments.form import USER, SetUp
from medici.domain.experiments.guardrails.keys import parse_guardrails
from medici.domain.experiments.metrics.keys import parse_metric

# Paths beside those of the experiments, and what everybody is hashed with before any experiment.
RESERVED_IDS = frozenset(
    {"templates", "audit", "guardrails", "rollout", "automation", "power", HOLDOUT_SEED}
)


def check_id(experiment_id: str) -> None:
    """Make sure that an experiment may be called so.

    Raises:
        SetUpRefused: the word means something else already.
    """
    if experiment_id in RESERVED_IDS:
        raise SetUpRefused(Refusal.RESERVED_ID, f"{experiment_id} cannot be an experiment's id")


def check(experiment_id: str, wanted: SetUp) -> None:
    """Make sure that an experiment can be set up so.

    Raises:
        SetUpRefused: it cannot, for the first reason there is.
        UnknownPrimaryMetric: nothing is measured under that key.
        UnknownGuardrail: a guardrail's key means nothing.
    """
    for refusal in _refusals(experiment_id, wanted):
        raise refusal
    parse_metric(wanted.primary_metric)
    parse_guardrails(wanted.guardrails)


def _refusals(experiment_id: str, wanted: SetUp) -> Iterator[SetUpRefused]:
    if wanted.assignment_unit != USER:
        yield SetUpRefused(Refusal.ASSIGNMENT_UNIT, f"the one unit there is is {USER}")
    if not wanted.primary_metric:
        yield SetUpRefused(Refusal.NO_METRIC, "name the metric that decides")
    yield from _of_variants(wanted.variants)
    yield from _of_names(wanted)
    if wanted.namespace:
        yield from _of_namespace(experiment_id, wanted.namespace)
    if wanted.analysis_mode is AnalysisMode.GROUP_SEQUENTIAL and wanted.planned_sample_size is None:
        yield SetUpRefused(
            Refusal.NO_PLANNED_SIZE, "a group sequential test spends its error over a planned size"
        )


def _of_variants(variants: Sequence[Variant]) -> Iterator[SetUpRefused]:
    ids = [each.variant_id for each in variants]
    if not ids:
        yield SetUpRefused(Refusal.NO_VARIANT, "an experiment has at least one variant")
    if not all(ids):
        yield SetUpRefused(Refusal.NO_VARIANT_ID, "each variant has an id")
    if len(ids) != len(set(ids)):
        yield SetUpRefused(Refusal.VARIANT_TWICE, "two variants have the same id")
    if sum(each.weight for each in variants) <= 0:
        yield SetUpRefused(Refusal.NO_WEIGHT, "at least one variant has a weight above 0")


def _of_names(wanted: SetUp) -> Iterator[SetUpRefused]:
    ids = set(wanted.variant_ids)
    if wanted.control not in ids:
        yield SetUpRefused(Refusal.UNKNOWN_CONTROL, f"there is no variant {wanted.control}")
    for user_id, variant_id in wanted.overrides.items():
        if variant_id not in ids:
            yield SetUpRefused(
                Refusal.UNKNOWN_OVERRIDE, f"{user_id} is to get {variant_id}, which is no variant"
            )


def _of_namespace(experiment_id: str, wanted: Namespace) -> Iterator[SetUpRefused]:
    if not 0 <= wanted.start < wanted.end <= 1:
        yield SetUpRefused(
            Refusal.NAMESPACE_RANGE, "a range goes up, within 0 and 1, and is not empty"
        )
    # Hashed with the same text, a user's place in the namespace would decide the variant as well.
    if wanted.id in {experiment_id, HOLDOUT_SEED}:
        yield SetUpRefused(
            Refusal.NAMESPACE_ID, f"a namespace of this experiment cannot be called {wanted.id}"
        )
