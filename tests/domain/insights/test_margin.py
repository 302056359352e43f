"""Revenue is spread over renders to the last micro, and never twice."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from medici.adapters.payments.news import Source
from medici.domain.insights.margin import By, earned_by_plan, margins, total_margin
from medici.domain.insights.payments import Income
from tests.domain.insights.cells import cell

KEPT = {"ios": Decimal("0.15"), "web": Decimal("0.03")}


def income(net: str, plan_id: str | None = "pro", currency: str = "usd") -> Income:
    return Income(
        source=Source.WEB,
        plan_id=plan_id,
        currency=currency,
        payments=1,
        refunded=0,
        net=Decimal(net),
    )


class TestMargins:
    def test_of_a_plan_are_its_revenue_less_fees_and_cost(self) -> None:
        earned = earned_by_plan([income("100"), income("50", currency="eur")], KEPT)

        (pro,) = margins([cell()], earned, By.PLAN)

        assert (pro.key, pro.revenue, pro.payment_fees) == ("pro", "100.00", "3.00")
        assert (pro.provider_cost, pro.margin, pro.margin_percent) == ("0.25", "96.75", 96.75)
        assert pro.per_render is not None
        assert (pro.per_render.revenue, pro.per_render.cost) == ("9.70", "0.025")

    def test_share_revenue_by_credits(self) -> None:
        earned = earned_by_plan([income("30")], KEPT)

        final, preview = margins([cell(), cell(tier="final", credits=20)], earned, By.TIER)

        assert (final.key, final.revenue) == ("final", "20.00")
        assert (preview.key, preview.revenue) == ("preview", "10.00")

    def test_share_by_renders_where_there_are_no_credits(self) -> None:
        earned = earned_by_plan([income("30")], KEPT)
        cells = [cell(credits=0), cell(provider="openai", credits=0, events=5)]

        fal, openai = margins(cells, earned, By.PROVIDER)

        assert (fal.revenue, openai.revenue) == ("20.00", "10.00")

    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["pro", "free", "gold"]),
                st.sampled_from(["fal", "openai"]),
                st.integers(0, 50),
            ),
            max_size=6,
        ),
        st.lists(
            st.tuples(st.integers(0, 10_000), st.sampled_from(["pro", "gold", None])), max_size=4
        ),
        st.sampled_from([By.PLAN, By.PROVIDER, By.TIER]),
    )
    def test_add_up_to_the_total(
        self, renders: list[tuple[str, str, int]], paid: list[tuple[int, str | None]], by: By
    ) -> None:
        cells = [cell(plan_id=plan, provider=name, credits=c) for plan, name, c in renders]
        earned = earned_by_plan([income(str(cents / 100), plan) for cents, plan in paid], KEPT)

        told = margins(cells, earned, by)

        total = total_margin(cells, earned)
        added = sum((Decimal(each.revenue) for each in told), Decimal(0))
        assert abs(added - Decimal(total.revenue)) < Decimal("0.0001")
        assert sum(each.completed for each in told) == total.completed
