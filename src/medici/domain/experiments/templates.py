"""Experiments to start from, as they would be set up by somebody who has run a few.

Thresholds are those of a healthy deployment: of the renders that a variant gets, 85 % succeed, the
slowest twentieth takes 12 seconds, and one costs at most 15 cents. Below 200 renders nothing is
judged.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from medici.domain.assignments.definition import Variant
from medici.domain.experiments.form import SetUp
from medici.domain.routing import treatment
from medici.domain.routing.settings import FAL, OPENAI, ProviderSettings

HEALTHY: Mapping[str, float] = {
    "render_events_min": 200,
    "render_success_rate_min": 85,
    "p95_latency_max_ms": 12_000,
}
FRUGAL: Mapping[str, float] = {**HEALTHY, "avg_cost_per_render_max_usd": 0.15}


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """An experiment that is not there yet; ``template_id`` is what it would be called."""

    template_id: str
    set_up: SetUp


def _variant(variant_id: str, **config: object) -> Variant:
    return Variant(variant_id=variant_id, weight=50, config=config)


def _route(preview: str, final: str) -> dict[str, object]:
    return {"preview_provider": preview, "final_provider": final}


def _everywhere(preview: str, final: str, *, chain: list[str]) -> dict[str, object]:
    """Return the routing of a variant whose every render begins with the same two providers."""
    parts = ("full_room", "walls", "floor", "furniture", "decor")
    return {
        "default_provider": final,
        "fallback_chain": chain,
        "part_routes": {part: _route(preview, final) for part in parts},
    }


TEMPLATES: tuple[Template, ...] = (
    Template(
        template_id="pricing_paywall_timing",
        set_up=SetUp(
            name="Paywall timing",
            description="Does it pay to show the paywall right after the first preview, instead of"
            " when the free credits are used up?",
            is_active=False,
            primary_metric="upgrade_conversion_7d",
            guardrails=HEALTHY,
            variants=(
                _variant("control", paywall_mode="on_exhaustion"),
                _variant("after_first_preview", paywall_mode="after_first_preview"),
            ),
        ),
    ),
    Template(
        template_id="pricing_plan_highlight",
        set_up=SetUp(
            name="Highlighted plan",
            description="Which plan is better put forward on the paywall, the one by the week or"
            " the one by the year? Money decides, not the number of sales.",
            is_active=False,
            primary_metric="net_revenue_per_visitor",
            guardrails=HEALTHY,
            variants=(
                _variant("weekly_focus", highlighted_period="week"),
                _variant("yearly_focus", highlighted_period="year"),
            ),
        ),
    ),
    Template(
        template_id="provider_preview_quality",
        set_up=SetUp(
            name="Quality of previews",
            description="Do better previews lead to more finals? The one variant asks the cheaper"
            " provider for previews, the other the better one.",
            is_active=False,
            primary_metric="preview_to_final_rate",
            guardrails=FRUGAL,
            variants=(
                _variant(
                    "cost_optimized",
                    preview_quality="cost",
                    routing=_everywhere(FAL, FAL, chain=[FAL, OPENAI]),
                ),
                _variant(
                    "quality_optimized",
                    preview_quality="quality",
                    routing=_everywhere(OPENAI, FAL, chain=[FAL, OPENAI]),
                ),
            ),
        ),
    ),
    Template(
        template_id="provider_fallback_order",
        set_up=SetUp(
            name="Order of providers",
            description="With which provider first do more renders succeed?",
            is_active=False,
            primary_metric="render_success_rate",
            guardrails=FRUGAL,
            variants=(
                _variant(
                    "fal_then_openai",
                    fallback_order=[FAL, OPENAI],
                    routing=_everywhere(FAL, FAL, chain=[FAL, OPENAI]),
                ),
                _variant(
                    "openai_then_fal",
                    fallback_order=[OPENAI, FAL],
                    routing=_everywhere(OPENAI, OPENAI, chain=[OPENAI, FAL]),
                ),
            ),
        ),
    ),
)


def fitting(published: ProviderSettings, registered: Collection[str]) -> tuple[Template, ...]:
    """Return the templates as they fit a deployment.

    Where its providers are not those of a template, the variants route nothing by themselves: what
    they mean is up to whoever reads their configs.
    """
    return tuple(_fitted(each, published, registered) for each in TEMPLATES)


def _fitted(
    template: Template, published: ProviderSettings, registered: Collection[str]
) -> Template:
    variants = template.set_up.variants
    routings = [each.config.get(treatment.ROUTING) for each in variants]
    if not any(treatment.check(published, routing, registered) for routing in routings if routing):
        return template
    plain = tuple(replace(each, config=_without_routing(each.config)) for each in variants)
    return replace(template, set_up=replace(template.set_up, variants=plain))


def _without_routing(config: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in config.items() if name != treatment.ROUTING}
