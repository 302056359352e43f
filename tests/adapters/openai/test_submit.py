"""One edit, from the request to the picture."""

from dataclasses import replace

import pytest

from medici.adapters.imaging.containers import outline
from medici.adapters.imaging.host import ImageProcess
from medici.adapters.providers.failure import FailureCode, ProviderFailure
from medici.adapters.providers.provider import (
    CancelOutcome,
    Cost,
    CostSource,
    Health,
    Phase,
    Recovery,
)
from medici.adapters.providers.request import InputImage, Operation, Tier
from medici.fakes.faults import FaultKind
from medici.fakes.openai.app import Telling
from medici.fakes.pictures import picture_of
from tests.adapters.openai.conftest import KEY, REQUEST, Bench
from tests.support.pixels import PAINTING

MASK = InputImage(data=PAINTING, content_type="image/png")


class TestSubmit:
    async def test_brings_the_picture_with_the_answer(self, bench: Bench) -> None:
        done = await bench.provider.submit(REQUEST)

        [work] = bench.plane.work.values()
        [artifact] = done.artifacts
        assert done.observation.phase is Phase.SUCCEEDED
        assert artifact.data == picture_of(f"{work.id}:0")
        assert (artifact.content_type, artifact.own_pixels) == ("image/png", False)

    async def test_asks_for_the_rooms_shape_and_the_tiers_quality(self, bench: Bench) -> None:
        await bench.provider.submit(REQUEST)

        [work] = bench.plane.work.values()
        assert work.input == {
            "model": "gpt-image-2.5-flare",
            "prompt": "a japandi room",
            "size": "1248x944",
            "quality": "low",
            "output_format": "jpeg",
            "images": 1,
            "masked": False,
        }

    async def test_paints_a_final_better(self, bench: Bench) -> None:
        final = replace(REQUEST, tier=Tier.FINAL, max_pixels=4_000_000)

        done = await bench.provider.submit(final)

        [work] = bench.plane.work.values()
        assert (work.input["quality"], work.input["output_format"]) == ("medium", "png")
        assert (done.ref["size"], done.ref["quality"]) == ("2192x1648", "medium")

    async def test_keeps_what_was_really_done_and_no_key(self, bench: Bench) -> None:
        done = await bench.provider.submit(REQUEST)

        request_id = done.ref["request_id"]
        assert str(request_id).startswith("req_")
        assert done.ref == {
            "reference": "0199",
            "model": "gpt-image-2.5-flare",
            "size": "1248x944",
            "quality": "low",
            "request_id": request_id,
        }
        assert KEY not in repr(done)
        assert KEY not in repr(bench.provider)

    async def test_sends_a_mask_that_is_transparent_where_ours_is_white(self, bench: Bench) -> None:
        await bench.provider.submit(replace(REQUEST, mask=MASK))  # of another size than the photo

        [work] = bench.plane.work.values()
        assert work.input["masked"] is True

    async def test_sends_nothing_with_a_mask_that_cannot_be_read(self, bench: Bench) -> None:
        broken = InputImage(data=b"no picture", content_type="image/png")

        with pytest.raises(ProviderFailure) as failed:
            await bench.provider.submit(replace(REQUEST, mask=broken))

        assert failed.value.code is FailureCode.INVALID_INPUT
        assert bench.plane.asked == []

    async def test_holds_on_to_the_room_where_the_model_can(self, bench: Bench) -> None:
        await bench.provider.submit(replace(REQUEST, model="gpt-image-1.5"))

        [work] = bench.plane.work.values()
        assert (work.input["input_fidelity"], work.input["size"]) == ("high", "1024x1024")

    async def test_cuts_a_prompt_that_is_too_long(self, bench: Bench) -> None:
        await bench.provider.submit(replace(REQUEST, prompt="x" * 32_001))

        [work] = bench.plane.work.values()
        assert len(work.input["prompt"]) == 32_000

    async def test_names_organisation_and_project_where_they_are_set(self, bench: Bench) -> None:
        provider = replace(bench.provider, organization="org-1", project="proj-1")

        await provider.submit(REQUEST)

        headers = bench.the_call().headers
        assert headers["OpenAI-Organization"] == "org-1"
        assert headers["OpenAI-Project"] == "proj-1"
        assert headers["Authorization"] == f"Bearer {KEY}"

    @pytest.mark.parametrize("operation", list(Operation))
    async def test_does_every_operation(self, bench: Bench, operation: Operation) -> None:
        assert bench.provider.capabilities().can(operation, Tier.FINAL, masked=True)


class TestCost:
    async def test_counts_what_came_out_as_picture_without_details(self, bench: Bench) -> None:
        done = await bench.provider.submit(REQUEST)

        # 4 tokens of text, 3 of the photo, 306 of the picture
        assert done.observation.cost == Cost(
            amount_micros=4 * 5 + 3 * 8 + 306 * 30,
            source=CostSource.USAGE_TOKENS,
            price_version="prices-of-the-test",
        )

    async def test_is_the_same_with_details(self, bench: Bench) -> None:
        plain = await bench.provider.submit(REQUEST)
        bench.fake.telling = Telling(details=True)

        assert (await bench.provider.submit(REQUEST)).observation.cost == plain.observation.cost

    async def test_is_the_usual_one_where_no_tokens_are_told(self, bench: Bench) -> None:
        bench.fake.telling = Telling(usage=False)

        done = await bench.provider.submit(REQUEST)

        assert done.observation.cost == bench.provider.estimate_cost(REQUEST)
        assert done.observation.cost == Cost(
            amount_micros=5_900 * 1248 * 944 // (1024 * 1024),
            source=CostSource.PRICE_TABLE,
            price_version="prices-of-the-test",
        )

    async def test_is_never_nothing_for_a_model_without_a_price(self, bench: Bench) -> None:
        request = replace(REQUEST, model="chatgpt-image-latest")

        done = await bench.provider.submit(request)

        assert bench.provider.estimate_cost(request).amount_micros == 250_000
        assert done.observation.cost is not None
        assert done.observation.cost.amount_micros == 250_000

    @pytest.mark.parametrize("kind", [FaultKind.EMPTY_IMAGES, FaultKind.BAD_IMAGE_BYTES])
    async def test_is_told_where_no_picture_came(self, bench: Bench, kind: FaultKind) -> None:
        bench.fail(kind)

        done = await bench.provider.submit(REQUEST)

        assert done.artifacts == ()
        assert done.observation.phase is Phase.FAILED
        assert done.observation.failure is not None
        assert done.observation.failure.code is FailureCode.NO_OUTPUT
        assert done.observation.cost is not None
        assert done.observation.cost.source is CostSource.USAGE_TOKENS


class TestWithoutAQueue:
    async def test_a_lost_answer_stays_unknown(self, bench: Bench) -> None:
        assert await bench.provider.recover(REQUEST) is Recovery.UNKNOWN
        assert bench.plane.asked == []

    async def test_nothing_can_be_cancelled(self, bench: Bench) -> None:
        assert await bench.provider.cancel({}) is CancelOutcome.UNSUPPORTED

    async def test_there_is_nothing_to_look_at_later(self, bench: Bench) -> None:
        for look in (bench.provider.poll, bench.provider.fetch):
            with pytest.raises(ProviderFailure) as failed:
                await look({})
            assert failed.value.code is FailureCode.PROVIDER_FAILED


class TestProbe:
    async def test_costs_nothing(self, bench: Bench) -> None:
        assert await bench.provider.probe() == Health(ok=True)
        assert (bench.the_call().operation, bench.plane.billed) == ("models", 0)

    async def test_tells_of_a_wrong_key(self, bench: Bench) -> None:
        bench.fail(FaultKind.AUTH, "models")

        assert await bench.provider.probe() == Health(ok=False, detail="401 invalid_api_key")

    async def test_tells_of_an_answer_that_is_not_the_vendors(self, bench: Bench) -> None:
        bench.fail(FaultKind.STATUS, "models", status=404)

        assert await bench.provider.probe() == Health(ok=False, detail="404")

    async def test_tells_that_nobody_is_there(self, bench: Bench) -> None:
        bench.fail(FaultKind.RESET_BEFORE_BODY, "models")

        assert await bench.provider.probe() == Health(ok=False, detail="the connection broke")


class TestMask:
    async def test_is_cut_to_the_photos_size(self, bench: Bench) -> None:
        blobs, _ = await bench.provider.pixels.call(
            "cut_out", PAINTING, {"width": 64, "height": 48}, timeout_seconds=1
        )

        claims = outline(blobs[0])
        assert (claims.format, claims.width, claims.height) == ("PNG", 64, 48)

    async def test_is_cut_in_a_process_of_its_own(self, bench: Bench) -> None:
        async with ImageProcess() as pixels:
            provider = replace(bench.provider, pixels=pixels)

            await provider.submit(replace(REQUEST, mask=MASK))

        assert bench.plane.billed == 1
