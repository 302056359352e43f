"""Answers that come slowly, or not, or from somebody else."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from medici.adapters.providers.failure import FailureCode, ProviderFailure
from medici.adapters.providers.provider import Phase
from medici.adapters.providers.replicate.provider import ReplicateProvider
from medici.fakes.faults import FaultKind
from tests.adapters.elsewhere import PICTURE, elsewhere
from tests.adapters.replicate.conftest import KEY, Stage, wish

NEVER: list[tuple[FaultKind, int]] = [
    (FaultKind.HANG, 0),
    (FaultKind.SLOW, 600),
    (FaultKind.SLOW_BODY, 600),
]
Question = Callable[[ReplicateProvider, Mapping[str, Any]], Awaitable[object]]
QUESTIONS: dict[str, Question] = {
    "get": ReplicateProvider.poll,
    "cancel": ReplicateProvider.cancel,
    "artifact": ReplicateProvider.fetch,
}


class TestAnAnswerThatDoesNotCome:
    @pytest.mark.parametrize(("kind", "milliseconds"), NEVER)
    async def test_leaves_an_order_in_doubt(
        self, stage: Stage, kind: FaultKind, milliseconds: int
    ) -> None:
        stage.fail(kind, milliseconds=milliseconds)

        with pytest.raises(ProviderFailure) as failure:
            await replace(stage.provider, submit_seconds=0.2).submit(wish())

        assert failure.value.code is FailureCode.TIMEOUT_AMBIGUOUS
        assert len(stage.asked("create")) == 1

    @pytest.mark.parametrize(("kind", "milliseconds"), NEVER)
    @pytest.mark.parametrize("operation", QUESTIONS)
    async def test_may_come_another_time(
        self, stage: Stage, operation: str, kind: FaultKind, milliseconds: int
    ) -> None:
        ref = await stage.ref()
        stage.fail(kind, operation, milliseconds=milliseconds)
        look = replace(stage.provider, read_seconds=10 if operation == "artifact" else 0.2)

        with pytest.raises(ProviderFailure) as failure:
            await QUESTIONS[operation](replace(look, artifact_seconds=0.2), ref)

        assert failure.value.code is FailureCode.UNAVAILABLE


class TestASlowAnswer:
    @pytest.mark.parametrize("kind", [FaultKind.SLOW, FaultKind.SLOW_BODY])
    async def test_is_an_answer(self, stage: Stage, kind: FaultKind) -> None:
        stage.fail(kind, milliseconds=100)

        submission = await stage.provider.submit(wish())

        assert submission.observation.phase is Phase.SUCCEEDED


class TestARedirect:
    async def test_of_a_picture_is_followed_without_the_key(self, stage: Stage) -> None:
        ref = await stage.ref()
        async with elsewhere(stage.base) as other:
            away = {"Location": other.url}
            stage.fail(FaultKind.REDIRECT_OTHER_ORIGIN, "artifact", headers=away)
            (picture,) = await replace(stage.provider, outgoing=other.outgoing).fetch(ref)

        (seen,) = other.heard
        assert picture.data == PICTURE
        assert "Authorization" not in seen
        assert KEY not in str(seen)

    @pytest.mark.parametrize("operation", ["create", "get"])
    async def test_of_the_api_is_not_followed(self, stage: Stage, operation: str) -> None:
        ref = await stage.ref()
        async with elsewhere(stage.base) as other:
            away = {"Location": other.url}
            stage.fail(FaultKind.STATUS, operation, status=307, headers=away)
            provider = replace(stage.provider, outgoing=other.outgoing)
            with pytest.raises(ProviderFailure) as failure:
                await (provider.submit(wish()) if operation == "create" else provider.poll(ref))

        assert failure.value.code is FailureCode.PROVIDER_FAILED
        assert other.heard == []
