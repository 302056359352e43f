"""Pure decisions: the table of failures row by row, waits within their bounds, the words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medici.adapters.providers.failure import FailureCode, ProviderFailure, WorkExpired
from medici.adapters.providers.request import Operation, Part
from medici.domain.rendering import rules
from medici.domain.rendering.models import RenderState
from medici.domain.rendering.rules import Next, Policy, Standing

RETRY, FALL_BACK, STOP = Next.RETRY, Next.FALL_BACK, Next.STOP
LENIENT = Policy(fall_back_on_moderation=True, fall_back_on_uncertain=True)
CHANCES = st.floats(0, 1, exclude_max=True)


def failure(code: FailureCode, retry_after: float | None = None) -> ProviderFailure:
    return ProviderFailure(code, "no", retry_after_seconds=retry_after)


def standing(tries_here: int = 1, *, retries: int = 0, has_next: bool = True) -> Standing:
    return Standing(tries_here=tries_here, retries=retries, has_next=has_next)


def after(
    code: FailureCode, where: Standing, policy: Policy | None = None, wait: float | None = None
) -> Next:
    return rules.after_failure(failure(code, wait), where, policy or Policy())


class TestAfterFailure:
    @pytest.mark.parametrize(
        ("code", "by_tries"),
        [
            (FailureCode.AUTH, [FALL_BACK]),
            (FailureCode.QUOTA, [FALL_BACK]),
            (FailureCode.RATE_LIMITED, [RETRY, RETRY, FALL_BACK]),
            (FailureCode.INVALID_INPUT, [STOP]),
            (FailureCode.MODERATED, [STOP]),
            (FailureCode.UNAVAILABLE, [RETRY, RETRY, FALL_BACK]),
            (FailureCode.TIMEOUT_AMBIGUOUS, [STOP]),
            (FailureCode.NO_OUTPUT, [RETRY, FALL_BACK]),
            (FailureCode.PROVIDER_FAILED, [FALL_BACK]),
        ],
    )
    def test_follows_the_table(self, code: FailureCode, by_tries: list[Next]) -> None:
        met = [after(code, standing(tries)) for tries in range(1, len(by_tries) + 1)]

        assert met == by_tries

    @pytest.mark.parametrize("code", list(FailureCode))
    def test_stops_where_nobody_is_left_and_nothing_can_be_retried(self, code: FailureCode) -> None:
        assert after(code, standing(9, has_next=False), LENIENT) is STOP

    @pytest.mark.parametrize("code", [FailureCode.MODERATED, FailureCode.TIMEOUT_AMBIGUOUS])
    def test_falls_back_from_odd_outcomes_where_the_route_says_so(self, code: FailureCode) -> None:
        assert after(code, standing(), LENIENT) is FALL_BACK

    def test_falls_back_from_one_odd_outcome_and_not_from_the_other(self) -> None:
        moderated = Policy(fall_back_on_moderation=True)

        assert after(FailureCode.MODERATED, standing(), moderated) is FALL_BACK
        assert after(FailureCode.TIMEOUT_AMBIGUOUS, standing(), moderated) is STOP

    def test_never_asks_anybody_else_about_a_bad_input(self) -> None:
        assert after(FailureCode.INVALID_INPUT, standing(), LENIENT) is STOP

    @pytest.mark.parametrize("code", sorted(rules.RETRIES_OF))
    def test_retries_within_the_budget_of_the_job(self, code: FailureCode) -> None:
        assert after(code, standing(retries=rules.RETRY_BUDGET - 1)) is RETRY
        assert after(code, standing(retries=rules.RETRY_BUDGET)) is FALL_BACK

    @pytest.mark.parametrize(("wait", "then"), [(60.0, RETRY), (60.5, FALL_BACK)])
    def test_leaves_a_provider_that_asks_for_too_long_a_wait(self, wait: float, then: Next) -> None:
        assert after(FailureCode.RATE_LIMITED, standing(), wait=wait) is then


class TestFinalState:
    @pytest.mark.parametrize(
        ("code", "state", "wire"),
        [
            (FailureCode.MODERATED, RenderState.MODERATED, "moderated"),
            (FailureCode.INVALID_INPUT, RenderState.FAILED, "invalid_input"),
            (FailureCode.TIMEOUT_AMBIGUOUS, RenderState.FAILED, "provider_outcome_uncertain"),
            *(
                (code, RenderState.FAILED, "provider_dispatch_failed")
                for code in (
                    FailureCode.AUTH,
                    FailureCode.QUOTA,
                    FailureCode.RATE_LIMITED,
                    FailureCode.UNAVAILABLE,
                    FailureCode.NO_OUTPUT,
                    FailureCode.PROVIDER_FAILED,
                )
            ),
        ],
    )
    def test_names_the_end(self, code: FailureCode, state: RenderState, wire: str) -> None:
        assert rules.final_state(failure(code)) == (state, wire)
        assert wire in rules.SENTENCES

    def test_of_work_that_ran_out_of_time_is_expired(self) -> None:
        assert rules.final_state(WorkExpired("late")) == (RenderState.EXPIRED, "expired")


class TestMayHaveCost:
    @pytest.mark.parametrize(
        ("code", "sent", "accepted"),
        [
            (FailureCode.AUTH, False, True),
            (FailureCode.QUOTA, False, True),
            (FailureCode.RATE_LIMITED, False, True),
            (FailureCode.INVALID_INPUT, False, False),
            (FailureCode.MODERATED, False, False),
            (FailureCode.UNAVAILABLE, False, True),
            (FailureCode.TIMEOUT_AMBIGUOUS, True, True),
            (FailureCode.NO_OUTPUT, True, True),
            (FailureCode.PROVIDER_FAILED, False, False),
        ],
    )
    def test_depends_on_who_knows_what(self, code: FailureCode, sent: bool, accepted: bool) -> None:
        assert rules.may_have_cost(failure(code), accepted=False) is sent
        assert rules.may_have_cost(failure(code), accepted=True) is accepted

    def test_holds_for_work_that_was_left_running(self) -> None:
        assert rules.may_have_cost(WorkExpired("late"), accepted=True)


class TestDelays:
    @given(tries=st.integers(1, 50), chance=CHANCES)
    def test_of_retries_stay_below_the_cap(self, tries: int, chance: float) -> None:
        assert 0 <= rules.retry_delay_seconds(tries, chance, None) < 8

    def test_of_retries_grow(self) -> None:
        widest = [rules.retry_delay_seconds(tries, 0.999_999, None) for tries in (1, 2, 3, 4, 5)]

        assert [round(wait, 2) for wait in widest] == [1, 2, 4, 8, 8]

    @pytest.mark.parametrize(("hint", "wait"), [(0.5, 0.5), (60.0, 60.0)])
    def test_of_retries_follow_the_providers_hint(self, hint: float, wait: float) -> None:
        assert rules.retry_delay_seconds(1, 0.0, hint) == wait

    @pytest.mark.parametrize("hint", [0.0, -1.0, 61.0])
    def test_of_retries_ignore_a_hint_that_makes_no_sense(self, hint: float) -> None:
        assert rules.retry_delay_seconds(1, 0.5, hint) == 0.5

    @given(polls=st.integers(0, 100_000), chance=CHANCES)
    def test_of_looks_stay_within_a_fifth_of_their_pace(self, polls: int, chance: float) -> None:
        pace = min(10.0, 0.5 * 1.5 ** min(polls, 50))

        assert pace * 0.8 <= rules.poll_delay_seconds(polls, chance) <= pace * 1.2


class TestPrompt:
    def test_says_style_work_parts_and_wishes(self) -> None:
        prompt = rules.compose_prompt(
            " warm oak ", Operation.REPAINT, (Part.WALLS, Part.FLOOR), ("a blue sofa", " ")
        )

        assert prompt == "warm oak, repaint the room, only the walls and floor, a blue sofa"

    def test_says_nothing_of_parts_where_the_whole_room_is_meant(self) -> None:
        prompt = rules.compose_prompt("oak", Operation.RESTYLE, (Part.FULL_ROOM,), ())

        assert prompt == "oak, restyle the room"

    def test_has_an_end(self) -> None:
        wishes = ("x" * 500,) * 20

        assert len(rules.compose_prompt("oak", Operation.REMOVE, (), wishes)) == 4000


class TestWireStatus:
    def test_names_every_state(self) -> None:
        assert rules.WIRE_STATUS == {
            RenderState.QUEUED: "queued",
            RenderState.SENDING: "in_progress",
            RenderState.RUNNING: "in_progress",
            RenderState.UNCERTAIN: "in_progress",
            RenderState.SUCCEEDED: "completed",
            RenderState.MODERATED: "failed",
            RenderState.EXPIRED: "failed",
            RenderState.FAILED: "failed",
            RenderState.CANCELED: "canceled",
        }


class TestSentenceFor:
    def test_never_fails(self) -> None:
        assert rules.sentence_for("expired") == "No provider finished the picture in time."
        assert rules.sentence_for("worker_lost") == "The render could not be carried out."
