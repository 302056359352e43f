"""What operators cannot set up, and what the answer to it is."""

import json
from math import inf, nan
from typing import Any

import pytest
from pydantic import ValidationError

from medici.doors.studio.catalogue.schemas import IdMismatch
from medici.doors.studio.experiments.admin_schemas import ExperimentIn
from tests.doors.studio.conftest import Visit
from tests.doors.studio.experiment_set_ups import EXPERIMENTS, PAYWALL, changing, get, made, put
from tests.doors.studio.visitor import Visitor


@pytest.fixture
async def operator(visit: Visit) -> Visitor:
    """Outside production and without a token anybody is one."""
    return await visit("")


class TestShapes:
    @pytest.mark.parametrize(
        "body",
        [
            [],
            {},
            {**PAYWALL, "name": ""},
            {**PAYWALL, "name": "n" * 201},
            {**PAYWALL, "name": "nul\x00"},
            {**PAYWALL, "misspelt": 1},
            {**PAYWALL, "guardrails": {"render_success_rate_min": "85"}},
            {**PAYWALL, "guardrails": {"render_success_rate_min": True}},
            {**PAYWALL, "variants": [{"variant_id": str(n)} for n in range(101)]},
            {**PAYWALL, "traffic_percent": 101},
            {**PAYWALL, "traffic_percent": "50"},
            {**PAYWALL, "targeting": {"platform": []}},
            {**PAYWALL, "targeting": {"country": ["Turkey"]}},
            {**PAYWALL, "targeting": {"app_version_min": "newest"}},
            {**PAYWALL, "targeting": {"age": 18}},
            {**PAYWALL, "namespace": {"id": "n", "range": [0]}},
            {**PAYWALL, "namespace": {"id": "n:1", "range": [0, 1]}},
            {**PAYWALL, "overrides": {f"u{n}": "after" for n in range(10_001)}},
            {**PAYWALL, "overrides": {"u" * 129: "after"}},
            {**PAYWALL, "exposure_mode": "sometimes"},
            {**PAYWALL, "planned_sample_size": 1},
            {**PAYWALL, "planned_sample_size": 2.5},
            {**PAYWALL, "experiment_id": "another"},
            changing(1, weight=-1),
            changing(1, weight=1_000_001),
            changing(1, weight=True),
            changing(1, variant_id="a b"),
            changing(1, variant_id="v" * 129),
            changing(1, config=[]),
            changing(1, config={"text": "nul\x00"}),
            changing(1, config={"nul\x00": 1}),
            changing(1, config={"half": "\ud800"}),
            changing(1, config={"long": "x" * 65_536}),
        ],
        ids=range(33),
    )
    def test_of_another_kind_are_refused(self, body: Any) -> None:
        with pytest.raises((ValidationError, IdMismatch)):
            ExperimentIn.model_validate(json.loads(json.dumps(body))).set_up("paywall")

    @pytest.mark.parametrize("number", [nan, inf, -inf])
    def test_have_no_numbers_without_end(self, number: float) -> None:
        for body in (
            changing(1, weight=number),
            changing(1, config={"deep": [number]}),
            {**PAYWALL, "guardrails": {"render_success_rate_min": number}},
            {**PAYWALL, "traffic_percent": number},
            {**PAYWALL, "namespace": {"id": "n", "range": [0, number]}},
        ):
            with pytest.raises(ValidationError):
                ExperimentIn.model_validate(body)

    def test_nest_so_deep_and_no_deeper(self) -> None:
        config: dict[str, Any] = {}
        for _ in range(33):
            config = {"in": config}

        form = ExperimentIn.model_validate(changing(1, config=config["in"]))
        assert form.variants[1].config == config["in"]
        with pytest.raises(ValidationError, match="nests at most 32 deep"):
            ExperimentIn.model_validate(changing(1, config=config))


REFUSED = (
    ("unsupported_assignment_unit", {**PAYWALL, "assignment_unit": "device"}),
    ("primary_metric_required", {**PAYWALL, "primary_metric": "  "}),
    ("primary_metric_required", {"name": "x", "variants": PAYWALL["variants"]}),
    ("at_least_one_variant_required", {**PAYWALL, "variants": []}),
    ("variant_id_required", changing(1, variant_id=" ")),
    ("variant_id_required", {**PAYWALL, "variants": [{"weight": 50}]}),
    ("duplicate_variant_id", changing(1, variant_id="control")),
    (
        "variant_weight_total_must_be_positive",
        {**PAYWALL, "variants": [{"variant_id": "a", "weight": 0}]},
    ),
    ("unknown_primary_metric", {**PAYWALL, "primary_metric": "happiness"}),
    ("unknown_guardrail", {**PAYWALL, "guardrails": {"happiness_min": 1}}),
    ("control_variant_unknown", {**PAYWALL, "control_variant_id": "c"}),
    ("override_variant_unknown", {**PAYWALL, "overrides": {"qa": "c"}}),
    ("namespace_range_invalid", {**PAYWALL, "namespace": {"id": "n", "range": [0.5, 0.5]}}),
    ("namespace_range_invalid", {**PAYWALL, "namespace": {"id": "n", "range": [0, 1.5]}}),
    ("namespace_id_reserved", {**PAYWALL, "namespace": {"id": "paywall", "range": [0, 1]}}),
    ("planned_sample_size_required", {**PAYWALL, "analysis_mode": "group_sequential"}),
    ("invalid_routing_treatment", changing(1, config={"routing": []})),
    ("invalid_routing_treatment", changing(1, config={"routing": {"default_provider": 1}})),
)


class TestRefusals:
    async def test_have_a_code(self, operator: Visitor) -> None:
        for code, body in REFUSED:
            answer = await put(operator, body)

            assert (answer.status_code, answer.json()["detail"]) == (400, code)
        assert await get(operator) == []

    async def test_of_an_overlap(self, operator: Visitor) -> None:
        await made(operator, of="first", namespace={"id": "n", "range": [0, 0.5]})

        answer = await put(operator, {**PAYWALL, "namespace": {"id": "n", "range": [0.4, 1]}})

        assert answer.status_code == 400
        assert answer.json() == {
            "detail": "namespace_overlap",
            "message": "first takes [0.0, 0.5) of n",
        }

    async def test_of_ids_that_are_paths(self, operator: Visitor) -> None:
        for reserved in ("templates", "audit", "guardrails", "rollout", "automation", "power"):
            answer = await put(operator, of=reserved)

            assert (answer.status_code, answer.json()["detail"]) == (400, "reserved_experiment_id")

    @pytest.mark.parametrize("body", ["[]", "{", '{"name": NaN}', "[" * 10_000])
    async def test_of_another_shape(self, operator: Visitor, body: str) -> None:
        answer = await operator.client.put(
            f"{EXPERIMENTS}/paywall", content=body, headers={"Content-Type": "application/json"}
        )

        assert answer.status_code in {400, 422}

    async def test_of_odd_ids(self, operator: Visitor) -> None:
        for odd in ("a b", "a:v1", "-a", "a" * 129, "a%00", "%2e%2e"):
            assert (await put(operator, of=odd)).status_code == 422

    async def test_takes_the_most_of_everything(self, operator: Visitor) -> None:
        variants = [{"variant_id": f"v{n}"} for n in range(99)]
        overrides = {f"user-{n}": "v7" for n in range(10_000)}

        found = await made(
            operator,
            of="a" * 128,
            variants=[*variants, {"variant_id": "v" * 128}],
            overrides=overrides,
        )

        assert (len(found["variants"]), len(found["overrides"])) == (100, 10_000)
