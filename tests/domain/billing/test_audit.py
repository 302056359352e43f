"""The ledger's audit holds credits against the payments that brought them."""

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.ledger.audit import audit
from tests.domain.billing.books import take
from tests.domain.billing.histories import DAY, Line, pack

LINE = Line()
OTHER = Line(lineage_id="o2", user_id="bob")
OF_LINE = "WHERE transaction_id = 'o1.2'"
GRANT_OF_OTHER = "(SELECT grant_id FROM store_transactions WHERE transaction_id = 'o2.2')"


@pytest.fixture
async def sold(shop: AsyncSession) -> AsyncSession:
    """Two subscriptions, one of them extended, a pack, and a refund of another."""
    told = (LINE.paid(2), LINE.extended(2, 3 * DAY), OTHER.paid(2), pack("p1"), pack("p2"))
    for news in told:
        await take(shop, news)
    return shop


class TestAuditOfPayments:
    async def test_finds_nothing_where_credits_were_extended_and_taken_back(
        self, sold: AsyncSession
    ) -> None:
        await take(sold, OTHER.refunded(2))

        assert await audit(sold) == []

    @pytest.mark.parametrize(
        ("statement", "detail"),
        [
            (
                f"UPDATE store_transactions SET credits = 99 {OF_LINE}",
                "payment ios:production:o1.2, due 99, given 100, sources 1",
            ),
            (
                f"UPDATE store_transactions SET revoked_credits = 30 {OF_LINE}",
                "payment ios:production:o1.2, due 70, given 100, sources 1",
            ),
            (
                "UPDATE credit_grants SET source = 'trial' "
                "WHERE source_ref LIKE 'ios:production:o1.2:until:%'",
                "payment ios:production:o1.2, due 100, given 100, sources 2",
            ),
            (
                f"UPDATE store_transactions SET grant_id = {GRANT_OF_OTHER} {OF_LINE}",
                "payment ios:production:o1.2, source_ref ios:production:o2.2",
            ),
        ],
    )
    async def test_finds(self, sold: AsyncSession, statement: str, detail: str) -> None:
        await sold.execute(text(statement))

        findings = await audit(sold)

        assert [(finding.invariant, finding.detail) for finding in findings] == [("L11", detail)]

    async def test_finds_a_second_grant_of_a_payment(self, sold: AsyncSession) -> None:
        await sold.execute(
            text(
                "UPDATE credit_grants SET source_ref = 'ios:production:p1' "
                "WHERE source_ref = 'ios:production:o2.2'"
            )
        )

        details = {finding.detail for finding in await audit(sold)}

        assert details == {
            "payment ios:production:p1, due 100, given 200, sources 2",
            "payment ios:production:o2.2, source_ref ios:production:p1",
        }
