"""Tokens that took the place of others, and answers that are the same event."""

from datetime import timedelta
from typing import Any

import pytest

from tests.adapters.payments.google.conftest import Play
from tests.adapters.payments.google.scripts import State, bought, item
from tests.support.google import NOW, PACKAGE


class TestChains:
    async def test_keep_the_lineage_of_their_first_token(self, play: Play) -> None:
        play.script("first", **bought("EXPIRED"))
        play.script("second", **bought("EXPIRED", linkedPurchaseToken="first"))
        play.script("third", **bought(linkedPurchaseToken="second"))

        (standing,) = (await play.subscription("third")).standings

        assert standing.lineage_id == "first"
        assert standing.handle == f"subscription:{PACKAGE}:third"
        assert standing.follows == f"subscription:{PACKAGE}:second"

    async def test_end_where_google_remembers_nothing(self, play: Play) -> None:
        play.script("third", **bought(linkedPurchaseToken="forgotten"))

        (standing,) = (await play.subscription("third")).standings

        assert standing.lineage_id == "forgotten"

    async def test_that_bite_their_tail_come_to_an_end(self, play: Play) -> None:
        play.script("a", **bought(linkedPurchaseToken="b"))
        play.script("b", **bought(linkedPurchaseToken="a"))

        assert (await play.subscription("a")).standings[0].lineage_id == "b"

    async def test_are_followed_so_far_and_no_further(self, play: Play) -> None:
        for number in range(40):
            play.script(f"t{number}", **bought(linkedPurchaseToken=f"t{number + 1}"))

        assert (await play.subscription("t0")).standings[0].lineage_id == "t15"

    async def test_what_was_replaced_leaves_the_word_to_its_successor(self, play: Play) -> None:
        context: dict[str, Any] = {"replacementCancellation": {}}
        play.script("old", **bought("EXPIRED", canceledStateContext=context))

        news = await play.subscription("old")

        assert (news.standings, len(news.payments)) == ((), 1)
        assert news.remark is not None

    @pytest.mark.parametrize("state", ["PENDING", "PENDING_PURCHASE_CANCELED"])
    async def test_a_change_that_is_not_paid_leaves_what_there_was(
        self, play: Play, state: str
    ) -> None:
        play.script("old", **bought())
        play.script(
            "new",
            **bought(
                state,
                linkedPurchaseToken="old",
                items=[item(productId="max", latestSuccessfulOrderId=None)],
            ),
        )

        (standing,) = (await play.subscription("new")).standings

        assert (standing.state, standing.product_id) == (State.ACTIVE, "pro_monthly_android")
        assert (standing.lineage_id, standing.follows) == ("old", None)

    async def test_a_change_that_is_not_paid_stands_alone_where_nothing_is_left(
        self, play: Play
    ) -> None:
        play.script("new", **bought("PENDING", linkedPurchaseToken="forgotten"))

        (standing,) = (await play.subscription("new")).standings

        assert standing.state is State.PENDING

    async def test_of_long_tokens_are_named_by_their_hash(self, play: Play) -> None:
        token = "t" * 300
        play.script(token, **bought())

        (standing,) = (await play.subscription(token)).standings

        assert standing.lineage_id.startswith("sha256:")
        assert len(standing.lineage_id) == 71


class TestEvents:
    async def test_of_the_same_answer_are_one(self, play: Play) -> None:
        play.script(**bought())

        first, later = (
            await play.subscription(),
            await play.subscription(now=NOW + timedelta(hours=1)),
        )

        assert first.event_id == later.event_id

    async def test_of_a_state_that_came_back_are_two(self, play: Play) -> None:
        play.script(**bought())
        first = await play.subscription()
        play.script(**bought("ON_HOLD"))
        play.script(**bought())

        assert (await play.subscription()).event_id != first.event_id

    async def test_without_an_etag_are_apart_by_their_time(self, play: Play) -> None:
        play.script(**bought())
        play.subscriptions["token-1"].pop("etag")

        first, later = (
            await play.subscription(),
            await play.subscription(now=NOW + timedelta(hours=1)),
        )

        assert first.event_id != later.event_id
