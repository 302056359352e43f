"""Whether an experiment breaches its guardrails, and whether that is the variant's doing. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from medici.domain.experiments.analysis.sums import Sums
from medici.domain.experiments.guardrails.keys import (
    Bound,
    Gate,
    Guardrail,
    GuardrailKey,
    Guardrails,
)
from medici.domain.experiments.guardrails.values import Value, count_of, exact, value_of
from medici.domain.experiments.metrics.keys import MetricKind
from medici.domain.experiments.variables import GuardrailMode

ENOUGH = 30  # observations of one variant, below which it is not looked at alone


class Scope(StrEnum):
    """Whose doing a breach is."""

    VARIANT = "variant"
    OVERALL = "overall"  # of all variants together
    GLOBAL = "global"  # it would be the same without the experiment: control breaches, too


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What some users came to: by the key of each metric, and what gates count.

    ``p95_latency`` is None where no render was timed.
    """

    assigned_users: int = 0
    render_events: int = 0
    sums: Mapping[str, Sums] = field(default_factory=dict)
    p95_latency: Value | None = None

    def value(self, key: GuardrailKey) -> Value | None:
        if key.metric is None:
            return None
        if key.metric.kind is MetricKind.DESCRIPTIVE:
            return self.p95_latency
        sums = self.sums.get(key.metric.key, Sums())
        return count_of(sums) if key.counted else value_of(key.metric, sums)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """An experiment's users of the last hours, all together and by the variant they got."""

    control_variant_id: str
    everybody: Figures
    variants: Mapping[str, Figures]
    queued_jobs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """A guardrail that does not hold. ``control_actual`` is what control came to."""

    metric_key: str
    operator: Bound
    threshold: float
    actual: float
    variant_id: str | None
    scope: Scope
    control_actual: float | None

    @property
    def message(self) -> str:
        side = "below" if self.operator is Bound.AT_LEAST else "above"
        whose = f" for {self.variant_id}" if self.variant_id else ""
        also = (
            "; control is, too"
            if self.scope is Scope.GLOBAL and self.control_actual is not None
            else ""
        )
        return f"{self.metric_key} is {self.actual:g}{whose}, {side} {self.threshold:g}{also}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a look came to: skipped for a reason, breached, or clear."""

    breaches: tuple[Breach, ...] = ()
    skipped_reason: str | None = None

    @property
    def breached(self) -> bool:
        return bool(self.breaches)


@dataclass(frozen=True, slots=True, kw_only=True)
class Strictness:
    """What counts as a breach."""

    mode: GuardrailMode
    ignore_global: bool


def judge(guardrails: Guardrails, measured: Measured, strictness: Strictness) -> Verdict:
    """Judge one experiment, unless it has too few users or renders for that."""
    reason = too_little(guardrails.gates, measured.everybody)
    if reason is not None:
        return Verdict(skipped_reason=reason)
    found = [
        breach
        for guard in guardrails.guards
        for breach in _Judge(guard, measured, strictness.mode).breaches()
        if not (strictness.ignore_global and breach.scope is Scope.GLOBAL)
    ]
    return Verdict(breaches=tuple(found))


def too_little(gates: Mapping[Gate, float], figures: Figures) -> str | None:
    """Return what there is too little of; None where there is enough."""
    counted = {
        Gate.RENDER_EVENTS: figures.render_events,
        Gate.ASSIGNED_USERS: figures.assigned_users,
    }
    for gate, least in gates.items():
        if counted[gate] < least:
            return f"{gate}_below_min({counted[gate]} < {least:g})"
    return None


@dataclass(frozen=True, slots=True)
class _Judge:
    guard: Guardrail
    measured: Measured
    mode: GuardrailMode

    def breaches(self) -> Iterator[Breach]:
        """Find whom a breach is due to: the platform, some variants, or nobody in particular."""
        if self.guard.key.metric is None:
            yield from self._found(exact(self.measured.queued_jobs), Scope.GLOBAL)
            return
        overall = list(self._found(self.measured.everybody.value(self.guard.key), Scope.OVERALL))
        if self._control_breaches and overall:
            yield from self._found(self.measured.everybody.value(self.guard.key), Scope.GLOBAL)
            return
        of_variants = list(self._of_variants())
        yield from of_variants or overall

    def _of_variants(self) -> Iterator[Breach]:
        if self.guard.key.counted:  # a number of users is asked of all variants together
            return
        scope = Scope.GLOBAL if self._control_breaches else Scope.VARIANT
        for variant_id, figures in self.measured.variants.items():
            value = figures.value(self.guard.key)
            if variant_id != self.measured.control_variant_id and _is_enough(value):
                yield from self._found(value, scope, variant_id)

    def _found(
        self, value: Value | None, scope: Scope, variant_id: str | None = None
    ) -> Iterator[Breach]:
        if value is not None and self._is_broken(value):
            control = self._control
            yield Breach(
                metric_key=self.guard.key.name,
                operator=self.guard.key.bound,
                threshold=self.guard.threshold,
                actual=round(value.actual, 4),
                variant_id=variant_id,
                scope=scope,
                control_actual=None if control is None else round(control.actual, 4),
            )

    def _is_broken(self, value: Value) -> bool:
        bound = self.guard.key.bound
        kindest = value.high if bound is Bound.AT_LEAST else value.low
        looked_at = kindest if self.mode is GuardrailMode.CONFIDENT else value.actual
        return bound.is_broken(looked_at, self.guard.threshold)

    @property
    def _control(self) -> Value | None:
        """Return what control came to, where there is anything to compare with it."""
        if self.guard.key.counted or len(self.measured.variants) < 2:
            return None
        control = self.measured.variants.get(self.measured.control_variant_id, Figures())
        return control.value(self.guard.key)

    @property
    def _control_breaches(self) -> bool:
        control = self._control
        return control is not None and _is_enough(control) and self._is_broken(control)


def _is_enough(value: Value | None) -> bool:
    return value is not None and value.observations >= ENOUGH
