"""The webhooks of the fake of fal: by themselves, and in all the ways that may be ordered."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from aiohttp import web

from medici.adapters.providers.fal.webhooks import KeySet, public_keys, verify
from medici.adapters.providers.provider import WebhookRefused
from medici.fakes.fal.app import fal_app
from medici.fakes.fal.deliveries import Courier
from medici.fakes.fal.progress import Pace
from medici.fakes.plane import Plane
from medici.fakes.serving import serving

MODEL = "fal-ai/flux/dev/image-to-image"
INPUT = {"prompt": "japandi", "image_url": "data:image/png;base64,AA=="}
PATIENCE_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Call:
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Receiver:
    """Takes webhooks; answers with the ``answers`` in their order, then with 200."""

    answers: list[int] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    _came: asyncio.Condition = field(default_factory=asyncio.Condition)

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/hook", self._take)
        return app

    async def heard(self, count: int) -> list[Call]:
        async with asyncio.timeout(PATIENCE_SECONDS), self._came:
            await self._came.wait_for(lambda: len(self.calls) >= count)
        return self.calls

    async def _take(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        async with self._came:
            self.calls.append(Call(headers, await request.read()))
            self._came.notify_all()
        return web.Response(status=self.answers.pop(0) if self.answers else 200)


@dataclass(frozen=True, kw_only=True)
class Scene:
    plane: Plane
    client: httpx.AsyncClient
    hook: str
    receiver: Receiver

    async def order(self) -> str:
        """Order work that calls the receiver, and return its id."""
        answer = await self.client.post(f"/{MODEL}", params={"fal_webhook": self.hook}, json=INPUT)
        return str(answer.json()["request_id"])

    async def told(self, path: str, **wanted: object) -> Any:
        answer = await self.client.post(f"/__fake/{path}", json=wanted)
        answer.raise_for_status()
        return answer.json()

    async def judged(self, call: Call) -> str:
        """Verify a call by the keys that are published now."""
        published = await self.client.get("/.well-known/jwks.json")
        keys = public_keys(KeySet.model_validate_json(published.content))
        return verify(keys, call.headers, call.body, now=datetime.now(UTC))


def deaf() -> web.Application:
    """Build a receiver that never answers."""

    async def never(_request: web.Request) -> web.Response:
        await asyncio.sleep(3600)
        return web.Response()

    app = web.Application()
    app.router.add_post("/hook", never)
    return app


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    plane, pace, receiver = Plane(seed=1), Pace(seconds=0), Receiver()
    async with (
        serving(receiver.app()) as listening,
        serving(fal_app(plane, pace, Courier(plane, pace))) as base,
        httpx.AsyncClient(base_url=base, headers={"Authorization": "Key a:b"}) as client,
    ):
        yield Scene(plane=plane, client=client, hook=f"{listening}/hook", receiver=receiver)


class TestByItself:
    async def test_is_signed_with_a_published_key(self, scene: Scene) -> None:
        request_id = await scene.order()

        (call,) = await scene.receiver.heard(1)

        assert await scene.judged(call) == request_id

    async def test_comes_again_until_somebody_takes_it(self, scene: Scene) -> None:
        scene.receiver.answers = [503, 409]
        await scene.order()

        for count, seconds in ((1, 1), (2, 2)):
            await scene.receiver.heard(count)
            scene.plane.advance(timedelta(seconds=seconds))
        calls = await scene.receiver.heard(3)

        assert len({call.body for call in calls}) == 1

    async def test_comes_in_as_many_copies_as_wanted(self, scene: Scene) -> None:
        await scene.told("fal", copies=3)
        request_id = await scene.order()

        calls = await scene.receiver.heard(3)

        assert [await scene.judged(call) for call in calls] == [request_id] * 3

    async def test_comes_again_where_one_copy_was_not_taken(self, scene: Scene) -> None:
        scene.receiver.answers = [200, 503]
        await scene.told("fal", copies=2)
        await scene.order()
        await scene.receiver.heard(2)
        scene.plane.advance(timedelta(seconds=1))

        await scene.receiver.heard(4)

        assert (await scene.told("fal"))["sent"] == 4

    async def test_does_not_wait_for_other_receivers(self, scene: Scene) -> None:
        async with serving(deaf()) as nobody:
            hook = {"fal_webhook": f"{nobody}/hook"}
            await scene.client.post(f"/{MODEL}", params=hook, json=INPUT)
            request_id = await scene.order()

            (call,) = await scene.receiver.heard(1)

        assert await scene.judged(call) == request_id

    async def test_comes_before_the_answer_where_it_shall_overtake(self, scene: Scene) -> None:
        await scene.told("fal", automatic=False, overtakes=1)

        request_id = await scene.order()

        (call,) = scene.receiver.calls  # it was there when the answer came
        assert await scene.judged(call) == request_id
        assert (await scene.told("fal"))["overtakes"] == 0

    async def test_does_not_come_where_only_those_on_order_shall(self, scene: Scene) -> None:
        await scene.told("fal", automatic=False)
        await scene.order()
        await scene.told("deliver")
        await scene.told("fal", automatic=True)

        await scene.receiver.heard(2)  # the one on order, and then its own


class TestOnOrder:
    @pytest.fixture(autouse=True)
    async def quiet(self, scene: Scene) -> None:
        """Leave nothing but what is ordered."""
        await scene.told("fal", automatic=False)

    async def test_tells_what_was_answered(self, scene: Scene) -> None:
        scene.receiver.answers = [204, 401]
        await scene.order()

        assert await scene.told("deliver", copies=3) == {"answers": [204, 401, 200]}

    async def test_is_of_the_newest_work_unless_other_work_is_named(self, scene: Scene) -> None:
        first, second = await scene.order(), await scene.order()

        await scene.told("deliver")
        await scene.told("deliver", request_id=first)

        assert [await scene.judged(call) for call in scene.receiver.calls] == [second, first]

    @pytest.mark.parametrize(
        ("wanted", "genuine"),
        [
            ({}, True),
            ({"age_seconds": 290}, True),
            ({"age_seconds": 310}, False),
            ({"age_seconds": -310}, False),
            ({"tampered": True}, False),
            ({"key": "old"}, True),
            ({"key": "withdrawn"}, False),
        ],
    )
    async def test_is_as_genuine_as_wanted(
        self, scene: Scene, wanted: dict[str, object], genuine: bool
    ) -> None:
        request_id = await scene.order()

        await scene.told("deliver", **wanted)

        (call,) = scene.receiver.calls
        if genuine:
            assert await scene.judged(call) == request_id
        else:
            with pytest.raises(WebhookRefused):
                await scene.judged(call)

    async def test_is_signed_with_a_new_key_after_a_rotation(self, scene: Scene) -> None:
        request_id = await scene.order()
        await scene.told("deliver")
        await scene.told("fal", rotate=True)
        await scene.told("deliver")
        await scene.told("fal", rotate=True)

        before, between = scene.receiver.calls

        assert await scene.judged(between) == request_id  # its key is the old one by now
        with pytest.raises(WebhookRefused):
            await scene.judged(before)

    async def test_needs_work_that_asked_for_one(self, scene: Scene) -> None:
        refused = await scene.client.post("/__fake/deliver", json={})

        assert refused.status_code == 404

    async def test_says_that_nobody_answered(self, scene: Scene) -> None:
        nowhere = {"fal_webhook": "http://127.0.0.1:9/hook"}
        await scene.client.post(f"/{MODEL}", params=nowhere, json=INPUT)

        assert await scene.told("deliver") == {"answers": [None]}

    @pytest.mark.parametrize("wanted", [{"copies": 0}, {"key": "my own"}, {"unknown": 1}])
    async def test_is_refused_where_it_makes_no_sense(
        self, scene: Scene, wanted: dict[str, object]
    ) -> None:
        refused = await scene.client.post("/__fake/deliver", json=wanted)

        assert refused.status_code == 422


class TestKeys:
    async def test_can_fail_like_everything_else(self, scene: Scene) -> None:
        rule = {"operation": "keys", "calls": [1], "fault": {"kind": "status", "status": 503}}
        await scene.client.post("/__fake/faults", json=[rule])

        answers = [await scene.client.get("/.well-known/jwks.json") for _ in range(2)]

        assert [answer.status_code for answer in answers] == [503, 200]
        assert len(answers[1].json()["keys"]) == 2
        assert [asked.operation for asked in scene.plane.asked] == ["keys", "keys"]
