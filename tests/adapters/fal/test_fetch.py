"""Bringing home what fal's models made."""

from dataclasses import replace

import pytest

from medici.adapters.providers.failure import FailureCode, ProviderFailure, WorkExpired
from medici.fakes.faults import FaultKind
from medici.fakes.pictures import picture_of
from tests.adapters.elsewhere import PICTURE, elsewhere
from tests.adapters.fal.conftest import KEY, Stage


class TestFetch:
    async def test_brings_the_picture_and_shows_its_host_no_key(self, stage: Stage) -> None:
        ref = await stage.ref()

        (picture,) = await stage.provider.fetch(ref)

        assert picture.data == picture_of(ref["request_id"])
        assert picture.content_type == "image/png"
        assert KEY not in str(stage.asked("artifact")[0].headers)

    async def test_brings_nothing_where_there_is_none(self, stage: Stage) -> None:
        stage.fail(FaultKind.EMPTY_IMAGES)

        assert await stage.provider.fetch(await stage.ref()) == ()

    async def test_gives_up_on_a_host_that_says_nothing(self, stage: Stage) -> None:
        ref = await stage.ref()
        stage.fail(FaultKind.HANG, "artifact")

        with pytest.raises(ProviderFailure) as failure:
            await replace(stage.provider, artifact_seconds=0.2).fetch(ref)

        assert failure.value.code is FailureCode.UNAVAILABLE

    async def test_follows_a_redirect_to_another_host_without_the_key(self, stage: Stage) -> None:
        ref = await stage.ref()
        async with elsewhere(stage.base) as other:
            stage.fail(FaultKind.REDIRECT_OTHER_ORIGIN, "artifact", headers={"Location": other.url})
            (picture,) = await replace(stage.provider, outgoing=other.outgoing).fetch(ref)

        (seen,) = other.heard
        assert picture.data == PICTURE
        assert "Authorization" not in seen
        assert KEY not in str(seen) + str(stage.asked("artifact")[0].headers)

    async def test_does_not_follow_a_redirect_to_where_it_must_not(self, stage: Stage) -> None:
        ref = await stage.ref()
        inside = {"Location": "http://127.0.0.1:9/secret.png"}
        stage.fail(FaultKind.REDIRECT_OTHER_ORIGIN, "artifact", headers=inside)

        with pytest.raises(ProviderFailure) as failure:
            await stage.provider.fetch(ref)

        assert failure.value.code is FailureCode.PROVIDER_FAILED

    async def test_does_not_carry_the_key_along_where_the_queue_points_elsewhere(
        self, stage: Stage
    ) -> None:
        ref = await stage.ref()
        async with elsewhere(stage.base) as other:
            stage.fail(FaultKind.STATUS, "result", status=302, headers={"Location": other.url})
            with pytest.raises(ProviderFailure):
                await replace(stage.provider, outgoing=other.outgoing).fetch(ref)

        assert other.heard == []

    async def test_expires_with_a_result_that_was_removed(self, stage: Stage) -> None:
        ref = await stage.ref()
        stage.fail(FaultKind.STATUS, "result", status=404)

        with pytest.raises(WorkExpired):
            await stage.provider.fetch(ref)

    async def test_expires_with_a_picture_that_was_removed(self, stage: Stage) -> None:
        ref = await stage.ref()
        stage.fail(FaultKind.EXPIRED_URL, "artifact")

        with pytest.raises(WorkExpired):
            await stage.provider.fetch(ref)

    @pytest.mark.parametrize(
        ("kind", "code"),
        [
            (FaultKind.EXPIRED_URL, FailureCode.PROVIDER_FAILED),
            (FaultKind.BAD_IMAGE_BYTES, FailureCode.NO_OUTPUT),
            (FaultKind.RESET_AFTER_BODY, FailureCode.UNAVAILABLE),
        ],
    )
    async def test_says_why_the_picture_cannot_be_had(
        self, stage: Stage, kind: FaultKind, code: FailureCode
    ) -> None:
        ref = await stage.ref()
        stage.fail(kind, "artifact")

        with pytest.raises(ProviderFailure) as failure:
            await stage.provider.fetch(ref)

        assert failure.value.code is code
