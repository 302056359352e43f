"""What a change of a set-up does to the comparison that is under way."""

from dataclasses import replace

import pytest

from medici.domain.assignments.definition import Namespace
from medici.domain.assignments.models import (
    AnalysisMode,
    Experiment,
    ExperimentStatus,
    ExposureMode,
)
from medici.domain.experiments.form import Audience, SetUp
from medici.domain.experiments.phases import Course, course, first_course, seed
from tests.domain.experiments.set_ups import AFTER, CONTROL, NOW, PAYWALL, variant

LOWER = Namespace(id="paywalls", start=0, end=0.5)
TURKS = Audience(country=("TR",), app_version_min="2.4")
LIMITED = replace(PAYWALL, traffic_percent=50, audience=TURKS, namespace=LOWER)


def standing(
    set_up: SetUp = PAYWALL,
    status: ExperimentStatus = ExperimentStatus.RUNNING,
    *,
    started: bool = True,
) -> Experiment:
    """Return an experiment in its third phase."""
    return Experiment(
        experiment_id="paywall",
        status=status,
        phase=3,
        bucket_version=1,
        phase_started_at=NOW if started else None,
        **set_up.stored(),
    )


def after(wanted: SetUp, before: SetUp = PAYWALL) -> Course:
    return course(standing(before), wanted, rebucket=False)


class TestAComparisonGoesOn:
    @pytest.mark.parametrize(
        "wanted",
        [
            replace(LIMITED, name="Another name"),
            replace(LIMITED, description="Why"),
            replace(LIMITED, guardrails={}),
            replace(LIMITED, overrides={"qa": "after"}),
            replace(LIMITED, traffic_percent=80),
            replace(LIMITED, audience=Audience()),
            replace(LIMITED, audience=Audience(country=("TR", "DE"), app_version_min="2.4.0")),
            replace(LIMITED, audience=Audience(country=("TR",), app_version_min="2.3.9")),
            replace(LIMITED, audience=replace(TURKS, new_users_only=False)),
            replace(LIMITED, namespace=None),
            replace(LIMITED, namespace=Namespace(id="paywalls", start=0, end=0.7)),
            replace(LIMITED, primary_metric="UPGRADE_conversion_7d"),
            replace(LIMITED, planned_sample_size=5_000),
            replace(LIMITED, variants=(replace(CONTROL, weight=1), replace(AFTER, weight=1))),
        ],
    )
    def test_when_nobody_is_treated_otherwise(self, wanted: SetUp) -> None:
        follows = after(wanted, LIMITED)

        assert (follows.phase, follows.renewed, follows.because) == (3, False, ())
        assert (follows.begins, follows.bucket_version) == (False, 1)


class TestAPhaseEnds:
    @pytest.mark.parametrize(
        ("wanted", "because"),
        [
            (
                replace(LIMITED, variants=(replace(CONTROL, weight=90), AFTER)),
                "the weights changed",
            ),
            (replace(LIMITED, variants=(AFTER, CONTROL)), "the weights changed"),
            (replace(LIMITED, variants=(CONTROL, AFTER, variant("b"))), "a variant was added"),
            (replace(LIMITED, variants=(CONTROL,)), "a variant was removed"),
            (
                replace(LIMITED, variants=(CONTROL, variant("after", mode="never"))),
                "the config of a variant changed",
            ),
            (replace(LIMITED, control_variant_id="after"), "another variant is the control"),
            (replace(LIMITED, primary_metric="conversion"), "the primary metric changed"),
            (replace(LIMITED, traffic_percent=49.9), "fewer users take part"),
            (
                replace(LIMITED, audience=replace(TURKS, country=("DE",))),
                "the targeting became narrower",
            ),
            (
                replace(LIMITED, audience=replace(TURKS, app_version_min="2.10")),
                "the targeting became narrower",
            ),
            (
                replace(LIMITED, audience=replace(TURKS, plan_id=("free",))),
                "the targeting became narrower",
            ),
            (
                replace(LIMITED, audience=replace(TURKS, new_users_only=True)),
                "the targeting became narrower",
            ),
            (
                replace(LIMITED, namespace=Namespace(id="paywalls", start=0.1, end=0.6)),
                "the namespace became narrower",
            ),
            (
                replace(LIMITED, exposure_mode=ExposureMode.EXPLICIT),
                "exposure is counted otherwise",
            ),
            (replace(LIMITED, analysis_mode=AnalysisMode.FIXED), "the analysis mode changed"),
        ],
    )
    def test_when_users_before_and_after_cannot_be_compared(
        self, wanted: SetUp, because: str
    ) -> None:
        follows = after(wanted, LIMITED)

        assert follows.because == (because,)
        assert (follows.phase, follows.renewed, follows.begins) == (4, True, True)
        assert (follows.bucket_version, follows.redrawn, follows.resumed) == (1, False, False)

    def test_when_the_size_of_a_planned_test_changes(self) -> None:
        planned = replace(PAYWALL, analysis_mode=AnalysisMode.FIXED, planned_sample_size=1_000)

        follows = after(replace(planned, planned_sample_size=2_000), planned)

        assert follows.because == ("the planned sample size changed",)

    def test_names_every_reason_and_who_is_gone(self) -> None:
        follows = after(replace(PAYWALL, variants=(CONTROL,), traffic_percent=10))

        assert follows.because == ("a variant was removed", "fewer users take part")
        assert follows.removed == ("after",)


class TestStatus:
    def test_of_a_new_experiment(self) -> None:
        active, draft = first_course(PAYWALL), first_course(replace(PAYWALL, is_active=False))

        assert (active.status, active.phase, active.begins) == (ExperimentStatus.RUNNING, 1, True)
        assert (draft.status, draft.phase, draft.begins) == (ExperimentStatus.DRAFT, 1, False)

    def test_of_a_draft_that_is_changed_and_started(self) -> None:
        draft = standing(status=ExperimentStatus.DRAFT, started=False)
        changed = replace(PAYWALL, traffic_percent=10)

        follows = course(draft, changed, rebucket=False)

        assert (follows.phase, follows.begins, follows.resumed) == (3, True, False)
        still = course(draft, replace(changed, is_active=False), rebucket=False)
        assert (still.status, still.begins) == (ExperimentStatus.DRAFT, False)

    def test_of_a_pause_and_its_end(self) -> None:
        paused = course(standing(), replace(PAYWALL, is_active=False), rebucket=False)
        resumed = course(standing(status=ExperimentStatus.PAUSED), PAYWALL, rebucket=False)

        assert (paused.status, paused.phase) == (ExperimentStatus.PAUSED, 3)
        assert (resumed.status, resumed.phase) == (ExperimentStatus.RUNNING, 3)
        assert (resumed.resumed, resumed.begins) == (True, False)

    def test_of_one_that_is_changed_while_paused(self) -> None:
        resting = standing(status=ExperimentStatus.PAUSED)
        changed = replace(PAYWALL, is_active=False, traffic_percent=10)

        follows = course(resting, changed, rebucket=False)

        assert (follows.phase, follows.renewed, follows.begins) == (4, True, False)

    def test_of_one_that_lives_again(self) -> None:
        gone = standing(status=ExperimentStatus.ARCHIVED)

        follows = course(gone, PAYWALL, rebucket=False)

        assert follows == Course(
            status=ExperimentStatus.RUNNING,
            phase=4,
            bucket_version=2,
            begins=True,
            renewed=True,
            resumed=True,
            redrawn=True,
        )

    def test_of_one_whose_users_are_drawn_anew(self) -> None:
        follows = course(standing(), PAYWALL, rebucket=True)

        assert (follows.phase, follows.bucket_version, follows.redrawn) == (4, 2, True)


class TestSeed:
    def test_is_the_id_until_everybody_is_drawn_anew(self) -> None:
        assert [seed("paywall", version) for version in range(3)] == [
            "paywall",
            "paywall:v1",
            "paywall:v2",
        ]
