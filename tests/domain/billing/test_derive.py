"""Which of several purchases counts, for any purchases and at any moment."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medici.adapters.payments.news import AuthMode, Ownership, PurchaseState, Source
from medici.domain.billing.derive import Because, Derived, Held, access, derive, ends_at
from medici.domain.billing.models import EntitlementStatus
from medici.domain.billing.rules import Entitlement
from medici.kernel.environment import Environment

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = timedelta(days=1)
WITH_ACCESS = (PurchaseState.TRIALING, PurchaseState.ACTIVE, PurchaseState.GRACE)


def held(number: int = 1, **facts: Any) -> Held:
    known: dict[str, Any] = {
        "source": Source.WEB,
        "lineage_id": f"l{number}",
        "product_id": "pro_web",
        "state": PurchaseState.ACTIVE,
        "plan_id": "pro",
        "plan_price_cents": 1499,
        "started_at": NOW - DAY,
        "watermark": NOW - DAY,
        "expires_at": NOW + DAY,
    }
    return Held(id=UUID(int=number), **{**known, **facts})


moments = st.sampled_from([None, *(NOW + days * DAY for days in (-30, -1, 0, 1, 30))])


@st.composite
def purchases(draw: st.DrawFn) -> list[Held]:
    numbers = range(draw(st.integers(0, 5)))
    return [
        held(
            number,
            source=draw(st.sampled_from(list(Source)[:3])),
            state=draw(st.sampled_from(PurchaseState)),
            plan_id=draw(st.sampled_from(["basic", "pro", None])),
            plan_price_cents=draw(st.sampled_from([499, 1499])),
            expires_at=draw(moments),
            grace_expires_at=draw(moments),
            renews_at=draw(moments),
            lifetime=draw(st.booleans()),
            will_renew=draw(st.booleans()),
            ownership=draw(st.sampled_from(Ownership)),
            auth_mode=draw(st.sampled_from([AuthMode.NATIVE, AuthMode.RELAY])),
            started_at=draw(st.sampled_from([NOW - DAY, NOW - 2 * DAY])),
            watermark=draw(st.sampled_from([NOW - DAY, NOW])),
            environment=draw(st.sampled_from(Environment)),
        )
        for number in numbers
    ]


class TestAccess:
    @pytest.mark.parametrize("state", PurchaseState)
    def test_is_a_matter_of_the_state(self, state: PurchaseState) -> None:
        purchase = held(state=state, grace_expires_at=NOW + DAY)

        assert access(purchase, NOW) is (state in WITH_ACCESS)

    @pytest.mark.parametrize(
        ("facts", "end"),
        [
            ({"expires_at": NOW + DAY}, NOW + DAY),
            ({"expires_at": None}, None),
            ({"lifetime": True, "expires_at": NOW - DAY}, None),
            ({"state": PurchaseState.TRIALING, "expires_at": NOW}, NOW),
            ({"state": PurchaseState.GRACE, "grace_expires_at": NOW + DAY}, NOW + DAY),
        ],
    )
    def test_ends_by_the_clock(self, facts: dict[str, Any], end: datetime | None) -> None:
        purchase = held(**facts)

        assert ends_at(purchase) == end
        if end is not None:
            assert access(purchase, end - timedelta(microseconds=1))
            assert not access(purchase, end)

    def test_grace_without_an_end_gives_none(self) -> None:
        assert not access(held(state=PurchaseState.GRACE, grace_expires_at=None), NOW)

    def test_a_renewal_may_be_a_little_late(self) -> None:
        renews, ends = held(will_renew=True, expires_at=NOW), held(expires_at=NOW)

        assert access(renews, NOW, leeway=DAY)
        assert not access(renews, NOW + DAY, leeway=DAY)
        assert not access(ends, NOW, leeway=DAY)


class TestDerive:
    def test_nothing_bought_is_free_inactive_and_manual(self) -> None:
        assert derive([], NOW) == Derived(
            entitlement=Entitlement(), winner=None, shown=None, beaten=()
        )

    @pytest.mark.parametrize(
        ("better", "worse", "because"),
        [
            ({"override": True, "plan_price_cents": 0}, {}, Because.OVERRIDE),
            ({}, {"plan_id": "basic", "plan_price_cents": 499, "lifetime": True}, Because.PRICE),
            ({"expires_at": NOW + 2 * DAY}, {}, Because.HORIZON),
            ({"renews_at": NOW + 2 * DAY}, {"expires_at": None}, Because.HORIZON),
            ({"lifetime": True}, {"expires_at": NOW + 999 * DAY}, Because.HORIZON),
            ({"will_renew": True}, {}, Because.RENEWS),
            ({}, {"ownership": Ownership.FAMILY}, Because.OWNED),
            ({}, {"auth_mode": AuthMode.RELAY}, Because.PROVEN),
            ({"started_at": NOW - 9 * DAY}, {}, Because.OLDER),
            ({}, {}, Because.ID),
        ],
    )
    def test_the_first_difference_decides(
        self, better: dict[str, Any], worse: dict[str, Any], because: Because
    ) -> None:
        first, second = held(1, **better), held(2, **worse)

        for order in ([first, second], [second, first]):
            found = derive(order, NOW)

            assert found.winner == first
            assert [(each.purchase, each.because) for each in found.beaten] == [(second, because)]

    @pytest.mark.parametrize(
        ("facts", "because"),
        [
            ({"state": PurchaseState.EXPIRED}, Because.NO_ACCESS),
            ({"plan_id": None}, Because.NO_PLAN),
            ({"environment": Environment.SANDBOX}, Because.SANDBOX),
        ],
    )
    def test_what_is_kept_out_says_why(self, facts: dict[str, Any], because: Because) -> None:
        found = derive([held(**facts)], NOW)

        assert found.winner is None
        assert [each.because for each in found.beaten] == [because]

    def test_a_sandbox_counts_where_it_is_admitted(self) -> None:
        found = derive([held(environment=Environment.SANDBOX)], NOW, sandbox=True)

        assert found.entitlement.plan_id == "pro"

    @pytest.mark.parametrize(
        ("state", "status"),
        [
            (PurchaseState.EXPIRED, EntitlementStatus.EXPIRED),
            (PurchaseState.ACTIVE, EntitlementStatus.EXPIRED),
            (PurchaseState.REVOKED, EntitlementStatus.CANCELED),
            (PurchaseState.PAUSED, EntitlementStatus.INACTIVE),
            (PurchaseState.BILLING_RETRY, EntitlementStatus.INACTIVE),
            (PurchaseState.PENDING, EntitlementStatus.INACTIVE),
        ],
    )
    def test_shows_what_ended_last(self, state: PurchaseState, status: EntitlementStatus) -> None:
        older = held(1, watermark=NOW - 9 * DAY, state=PurchaseState.EXPIRED)
        newer = held(2, source=Source.IOS, state=state, expires_at=NOW - DAY)

        found = derive([older, newer], NOW).entitlement

        assert (found.plan_id, found.status, found.source) == ("pro", status, Source.IOS)
        assert found.plan_at(NOW) == "free"

    @pytest.mark.parametrize(
        ("facts", "ended_at"),
        [
            ({"state": PurchaseState.EXPIRED}, NOW - DAY),
            ({"state": PurchaseState.EXPIRED, "expires_at": NOW - 2 * DAY}, NOW - 2 * DAY),
            ({"state": PurchaseState.EXPIRED, "expires_at": None}, NOW - DAY),
            ({"state": PurchaseState.REVOKED}, NOW - DAY),
            ({"state": PurchaseState.REVOKED, "revoked_at": NOW - 3 * DAY}, NOW - 3 * DAY),
            ({"state": PurchaseState.REVOKED, "lifetime": True, "expires_at": None}, NOW - DAY),
            ({"state": PurchaseState.PAUSED}, NOW + DAY),
            ({"state": PurchaseState.REVOKED, "source": Source.MANUAL}, NOW + DAY),
        ],
    )
    def test_shows_when_it_ended_rather_than_when_it_would_have(
        self, facts: dict[str, Any], ended_at: datetime
    ) -> None:
        assert derive([held(**facts)], NOW).entitlement.expires_at == ended_at

    def test_knows_what_follows_by_itself(self) -> None:
        weaker = held(2, plan_id="basic", plan_price_cents=499, expires_at=NOW + 9 * DAY)

        found = derive([held(1), weaker], NOW).entitlement

        assert [found.plan_at(NOW + days * DAY) for days in (0, 1, 8, 9)] == [
            "pro",
            "basic",
            "basic",
            "free",
        ]


class TestProperties:
    @given(purchases(), st.randoms())
    def test_the_order_of_purchases_is_nothing(self, found: list[Held], random: Any) -> None:
        shuffled = list(found)
        random.shuffle(shuffled)

        assert derive(shuffled, NOW) == derive(found, NOW)

    @given(purchases())
    def test_one_more_never_makes_it_less(self, found: list[Held]) -> None:
        before = _price(derive(found, NOW))

        assert _price(derive([*found, held(99)], NOW)) >= max(before, 1499)

    @given(purchases(), st.sampled_from(PurchaseState))
    def test_what_has_no_access_never_changes_what_counts(
        self, found: list[Held], state: PurchaseState
    ) -> None:
        ended = held(99, state=state, expires_at=NOW - DAY, grace_expires_at=None)

        before, after = derive(found, NOW), derive([*found, ended], NOW)

        assert after.winner == before.winner
        if before.winner is not None:
            assert after.entitlement == before.entitlement

    @given(purchases())
    def test_what_counts_has_access(self, found: list[Held]) -> None:
        winner = derive(found, NOW).winner

        assert winner is None or access(winner, NOW)

    @given(purchases())
    def test_time_alone_ends_it_with_the_last_of_all(self, found: list[Held]) -> None:
        counting = [one for one in found if _counts(one)]
        ends = [ends_at(one) for one in counting]
        last = None if None in ends else max((end for end in ends if end), default=NOW)

        for days in (0, 1, 2, 30, 31):
            moment = NOW + days * DAY
            lasts = bool(counting) and (last is None or last > moment)
            assert (derive(found, moment).winner is not None) is lasts

    @given(purchases(), st.integers(0, 40))
    def test_what_was_foreseen_comes_true(self, found: list[Held], days: int) -> None:
        """Read later without deriving anew, an entitlement says the same, one change ahead."""
        moment, entitlement = NOW + days * DAY, derive(found, NOW).entitlement
        then = entitlement.then
        beyond = then is not None and not then.lasts(moment) and entitlement.ended(moment)

        expected = derive(found, moment)
        if expected.winner is None or not beyond:
            assert entitlement.plan_at(moment) == (
                expected.winner.plan_id if expected.winner else "free"
            )


def _counts(one: Held) -> bool:
    return access(one, NOW) and one.plan_id is not None and _real(one)


def _real(one: Held) -> bool:
    return one.environment is Environment.PRODUCTION


def _price(found: Derived) -> int:
    return found.winner.plan_price_cents or 0 if found.winner else 0
