"""What stands in for OpenAI without a key."""

from dataclasses import replace

import pytest

from medici.adapters.providers.failure import ProviderFailure
from medici.adapters.providers.openai.stub import NOTE, StubProvider
from medici.adapters.providers.provider import CancelOutcome, Cost, Health, Phase, Recovery
from tests.adapters.openai.conftest import REQUEST


class TestStubProvider:
    async def test_draws_a_plain_picture_for_nothing_and_says_so(self) -> None:
        done = await StubProvider().submit(REQUEST)

        assert done.observation.phase is Phase.SUCCEEDED
        assert (done.observation.cost, done.observation.notes) == (Cost(amount_micros=0), (NOTE,))
        assert done.artifacts[0].data.startswith(b"\x89PNG")
        assert done.ref == {"reference": "0199", "stub": True}

    async def test_draws_the_same_for_the_same(self) -> None:
        first, again = await StubProvider().submit(REQUEST), await StubProvider().submit(REQUEST)
        other = await StubProvider().submit(replace(REQUEST, reference="0200"))

        assert first.artifacts == again.artifacts
        assert first.artifacts != other.artifacts

    def test_can_what_openai_can_and_shows_that_it_is_a_stub(self) -> None:
        capabilities = StubProvider().capabilities()

        assert (StubProvider().name, capabilities.stub, capabilities.synchronous) == (
            "openai",
            True,
            True,
        )
        assert StubProvider().estimate_cost(REQUEST) == Cost(amount_micros=0)

    async def test_keeps_nothing(self) -> None:
        stub = StubProvider()

        assert await stub.recover(REQUEST) is Recovery.NOT_ACCEPTED
        assert await stub.cancel({}) is CancelOutcome.UNSUPPORTED
        assert await stub.probe() == Health(ok=True, detail=NOTE)
        for look in (stub.poll, stub.fetch):
            with pytest.raises(ProviderFailure):
                await look({})
