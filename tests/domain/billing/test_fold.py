"""Messages about one lineage come to one standing, whatever order they came in."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medici.adapters.payments.news import KEPT, AuthMode, Buyer, PurchaseState, Standing, Unset
from medici.domain.billing.fold import Told, fold, longest

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def told(
    number: int,
    state: PurchaseState = PurchaseState.ACTIVE,
    *,
    days: int = 0,
    auth_mode: AuthMode = AuthMode.NATIVE,
    **said: Any,
) -> Told:
    standing = Standing(lineage_id="o1", product_id="pro", state=state)
    return Told(
        id=UUID(int=number),
        event_id=f"e{number}",
        event_time=NOW + days * DAY,
        auth_mode=auth_mode,
        buyer=Buyer(),
        standing=replace(standing, **said),
    )


dates = st.sampled_from([None, KEPT, NOW + DAY, NOW + 2 * DAY])


@st.composite
def messages(draw: st.DrawFn) -> list[Told]:
    return [
        told(
            number,
            draw(st.sampled_from(PurchaseState)),
            days=draw(st.integers(-2, 2)),
            auth_mode=draw(st.sampled_from(AuthMode)),
            expires_at=draw(dates),
            renews_at=draw(dates),
            handle=draw(st.sampled_from([None, "a", "b", "c"])),
            follows=draw(st.sampled_from([None, None, "a", "b"])),
            over_unless_dated=draw(st.booleans()),
        )
        for number in range(draw(st.integers(1, 5)))
    ]


class TestFold:
    @given(messages())
    def test_is_the_same_for_every_order(self, found: list[Told]) -> None:
        expected = fold(found)

        for order in permutations(found):
            assert fold(order) == expected

    @given(messages())
    def test_leaves_no_date_open(self, found: list[Told]) -> None:
        folded = fold(found)

        assert not isinstance(folded.expires_at, Unset)
        assert not isinstance(folded.renews_at, Unset)

    def test_believes_the_newest(self) -> None:
        folded = fold([told(1, PurchaseState.EXPIRED, days=1), told(2, days=0)])

        assert (folded.standing.state, folded.newest.event_id) == (PurchaseState.EXPIRED, "e1")

    @pytest.mark.parametrize(
        ("lighter", "graver"),
        [
            (PurchaseState.ACTIVE, PurchaseState.GRACE),
            (PurchaseState.GRACE, PurchaseState.BILLING_RETRY),
            (PurchaseState.BILLING_RETRY, PurchaseState.EXPIRED),
            (PurchaseState.EXPIRED, PurchaseState.REVOKED),
        ],
    )
    def test_at_the_same_moment_what_takes_more_counts(
        self, lighter: PurchaseState, graver: PurchaseState
    ) -> None:
        assert fold([told(9, lighter), told(1, graver)]).standing.state is graver

    def test_at_the_same_moment_the_store_s_own_word_counts(self) -> None:
        relayed = told(1, PurchaseState.REVOKED, auth_mode=AuthMode.RELAY)

        assert fold([relayed, told(2)]).standing.state is PurchaseState.ACTIVE

    def test_a_date_that_is_left_out_stays(self) -> None:
        first = told(1, expires_at=NOW + DAY, renews_at=NOW + DAY)
        second = told(2, days=1, expires_at=KEPT, renews_at=None)

        folded = fold([second, first])

        assert (folded.expires_at, folded.renews_at) == (NOW + DAY, None)

    @pytest.mark.parametrize(
        ("known", "state", "end"),
        [
            (NOW + 9 * DAY, PurchaseState.ACTIVE, NOW + 9 * DAY),
            (None, PurchaseState.EXPIRED, NOW + DAY),
        ],
    )
    def test_a_canceled_one_lasts_to_the_end_that_is_known(
        self, known: datetime | None, state: PurchaseState, end: datetime
    ) -> None:
        canceled = told(2, days=1, expires_at=KEPT, over_unless_dated=True)

        folded = fold([told(1, expires_at=known), canceled])

        assert (folded.standing.state, folded.expires_at) == (state, end)

    def test_what_was_replaced_says_nothing_more(self) -> None:
        old = told(1, PurchaseState.EXPIRED, days=2, handle="a", started_at=NOW - 9 * DAY)
        new = told(2, handle="b", follows="a")

        folded = fold([old, new])

        assert (folded.standing.handle, folded.started_at) == ("b", NOW - 9 * DAY)


class TestLongest:
    def test_is_the_latest_end_that_a_running_period_was_given(self) -> None:
        found = longest(
            [
                told(1, transaction_id="t1", expires_at=NOW + 3 * DAY),
                told(2, transaction_id="t1", expires_at=NOW + DAY),
                told(3, PurchaseState.GRACE, transaction_id="t1", expires_at=NOW + 9 * DAY),
                told(4, transaction_id="t2", expires_at=KEPT),
            ]
        )

        assert found == {"t1": NOW + 3 * DAY}
