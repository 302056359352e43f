"""Telling fal that nobody waits for a picture any more."""

from dataclasses import replace
from typing import Any

import pytest

from medici.adapters.providers.failure import FailureCode, ProviderFailure
from medici.adapters.providers.provider import CancelOutcome, Phase
from medici.fakes.faults import FaultKind
from tests.adapters.fal.conftest import Stage, wish


class TestCancel:
    async def test_is_a_wish_while_the_work_is_there(self, stage: Stage) -> None:
        ref = (await stage.provider.submit(wish())).ref

        assert await stage.provider.cancel(ref) is CancelOutcome.REQUESTED
        assert (await stage.provider.poll(ref)).phase is Phase.CANCELED
        assert stage.plane.billed == 0

    async def test_comes_too_late_for_what_has_ended(self, stage: Stage) -> None:
        assert await stage.provider.cancel(await stage.ref()) is CancelOutcome.TOO_LATE

    @pytest.mark.parametrize(
        ("status", "said", "outcome"),
        [
            (200, "OK", CancelOutcome.CANCELED),
            (200, "CANCELLATION_REQUESTED", CancelOutcome.REQUESTED),
            (202, "CANCELLATION_REQUESTED", CancelOutcome.REQUESTED),
            (400, "ALREADY_COMPLETED", CancelOutcome.TOO_LATE),
            (404, "NOT_FOUND", CancelOutcome.TOO_LATE),
        ],
    )
    async def test_is_answered_in_several_ways(
        self, stage: Stage, status: int, said: str, outcome: CancelOutcome
    ) -> None:
        ref = (await stage.provider.submit(wish())).ref
        stage.fail(FaultKind.STATUS, "cancel", status=status, body={"status": said})

        assert await stage.provider.cancel(ref) is outcome

    @pytest.mark.parametrize(
        ("kind", "more"),
        [
            (FaultKind.RESET_AFTER_BODY, {}),
            (FaultKind.MALFORMED_JSON, {}),
            (FaultKind.STATUS, {"status": 503}),
            (FaultKind.HANG, {}),
        ],
    )
    async def test_can_be_repeated_where_its_answer_is_lost(
        self, stage: Stage, kind: FaultKind, more: dict[str, Any]
    ) -> None:
        ref = (await stage.provider.submit(wish())).ref
        stage.fail(kind, "cancel", **more)

        with pytest.raises(ProviderFailure) as failure:
            await replace(stage.provider, read_seconds=0.2).cancel(ref)

        assert failure.value.code is FailureCode.UNAVAILABLE
