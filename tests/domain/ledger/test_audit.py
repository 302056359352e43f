"""Each invariant is broken by hand once, behind the back of every guard, and must be noticed."""

from collections.abc import Sequence

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.ledger.audit import audit
from medici.domain.ledger.models import GrantSource
from tests.domain.ledger.teller import HOUR, NOW, Teller

CONSUMED = "(SELECT id FROM ledger_transactions WHERE kind = 'consume')"
ADAS = "(SELECT id FROM credit_wallets WHERE owner_id = 'ada')"
BOBS = "(SELECT id FROM credit_wallets WHERE owner_id = 'bob')"
BOBS_GRANT = f"(SELECT id FROM credit_grants WHERE wallet_id = {BOBS})"

CORRUPTIONS = {
    "an entry that was raised": (
        [
            "UPDATE ledger_entries SET amount = amount + 1 "
            f"WHERE account = 'sys:consumed' AND transaction_id = {CONSUMED}"
        ],
        {"L1", "L2", "L6"},
    ),
    "a wallet that was topped up by hand": (
        [f"UPDATE credit_wallets SET available = available + 1 WHERE id = {ADAS}"],
        {"L3", "L4", "L14"},
    ),
    "a grant that was used up by hand": (
        [
            "UPDATE credit_grants SET revoked = revoked + 1 "
            f"WHERE source = 'pack' AND wallet_id = {ADAS}"
        ],
        {"L4", "L6"},
    ),
    "a pending hold that grew": (
        ["UPDATE credit_holds SET amount = amount + 1 WHERE status = 'pending'"],
        {"L5", "L7"},
    ),
    "a grant whose parts were exchanged": (
        [
            "UPDATE credit_grants SET consumed = consumed - 1, expired = expired + 1 "
            f"WHERE source = 'promo' AND wallet_id = {ADAS}"
        ],
        {"L6"},
    ),
    "a hold that claims another end": (
        ["UPDATE credit_holds SET status = 'voided' WHERE status = 'captured'"],
        {"L7"},
    ),
    "a hold line that claims less": (
        ["UPDATE credit_hold_lines SET captured = 0 WHERE captured > 0"],
        {"L7"},
    ),
    "a wallet that misses a transaction": (
        [f"UPDATE credit_wallets SET seq = seq + 1 WHERE id = {ADAS}"],
        {"L8"},
    ),
    "a transaction that was taken out": (
        [
            f"DELETE FROM ledger_entries WHERE transaction_id = {CONSUMED}",
            "DELETE FROM ledger_transactions WHERE kind = 'consume'",
        ],
        {"L3", "L6", "L8", "L14", "L15"},
    ),
    "an entry of another wallet's grant": (
        [
            f"UPDATE ledger_entries SET grant_id = {BOBS_GRANT} "
            f"WHERE account = 'sys:consumed' AND transaction_id = {CONSUMED}"
        ],
        {"L6", "L9"},
    ),
    "a hold on another wallet's grant": (
        [
            f"UPDATE credit_hold_lines SET grant_id = {BOBS_GRANT} WHERE hold_id IN "
            "(SELECT id FROM credit_holds WHERE status = 'pending') AND position = 0"
        ],
        {"L9"},
    ),
    "free credits of a grant that has ended": (
        [
            "UPDATE credit_grants SET expires_at = '2026-01-01 00:00:00' "
            f"WHERE source = 'pack' AND wallet_id = {BOBS}"
        ],
        {"L10"},
    ),
    "a purchase that was granted to two": (
        ["UPDATE credit_grants SET source_ref = 'apple:1' WHERE source = 'pack'"],
        {"L11"},
    ),
    "a key that had two effects": (
        [
            "DROP INDEX uq_ledger_transactions_scope_idempotency_key",
            "UPDATE ledger_transactions SET scope = 'ada:consume', idempotency_key = 'k' "
            f"WHERE wallet_id = {ADAS} AND wallet_seq <= 2",
        ],
        {"L12"},
    ),
    "a balance that was once below zero": (
        [
            "UPDATE ledger_entries SET amount = -amount WHERE transaction_id = "
            f"(SELECT id FROM ledger_transactions WHERE wallet_id = {BOBS})"
        ],
        {"L3", "L6", "L13", "L14"},
    ),
    "an answer that was rewritten": (
        [
            'UPDATE ledger_transactions SET result = \'{"available": 99, "held": 0}\' '
            "WHERE kind = 'consume'"
        ],
        {"L14"},
    ),
    "credits that were spent out of turn": (
        [f"UPDATE credit_grants SET priority = 0 WHERE source = 'pack' AND wallet_id = {ADAS}"],
        {"L15"},
    ),
}


async def unguard(session: AsyncSession) -> None:
    """Take away what keeps the ledger from being changed."""
    for table in ("ledger_transactions", "ledger_entries"):
        if session.get_bind().dialect.name == "postgresql":
            await session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        else:
            await session.execute(text(f"DROP TRIGGER {table}_no_update"))
            await session.execute(text(f"DROP TRIGGER {table}_no_delete"))


@pytest.fixture
async def ada(session: AsyncSession) -> Teller:
    """A wallet with a bit of everything: it ends with 14 available and 3 held."""
    teller = await Teller.of(session)
    await teller.grant(6, source=GrantSource.PROMO)
    await teller.grant(20, source=GrantSource.PACK)
    await teller.grant(3, source=GrantSource.PLAN_DAILY, expires_at=NOW + HOUR)
    voided = await teller.hold(4)
    teller.now = NOW + HOUR
    await teller.void(voided.subject_id)
    captured = await teller.hold(5)
    charge = await teller.capture(captured.subject_id, 3)
    await teller.refund(charge.transaction_id, 1)
    await teller.consume(7)
    await teller.hold(3)
    await teller.adjust(-1, key="down")
    await teller.adjust(1, key="up")
    bob = await Teller.of(session, "bob")
    await bob.grant(4, source=GrantSource.PACK)
    return teller


class TestAudit:
    async def test_finds_nothing_in_good_books(self, ada: Teller) -> None:
        assert await ada.purse() == (14, 3)
        assert await audit(ada.session) == []

    @pytest.mark.parametrize("corruption", CORRUPTIONS)
    async def test_finds(self, ada: Teller, corruption: str) -> None:
        statements, invariants = CORRUPTIONS[corruption]
        await corrupt(ada.session, statements)

        findings = await audit(ada.session)

        assert {finding.invariant for finding in findings} == invariants

    async def test_covers_every_invariant(self) -> None:
        broken = set().union(*(invariants for _, invariants in CORRUPTIONS.values()))

        assert broken == {f"L{number}" for number in range(1, 16)}

    async def test_names_the_wallet_and_the_figures(self, ada: Teller) -> None:
        await corrupt(ada.session, CORRUPTIONS["a wallet that was topped up by hand"][0])

        findings = await audit(ada.session)

        assert {finding.wallet_id for finding in findings} == {ada.wallet_id}
        assert findings[0].detail == (
            "available 15, computed_available 14, held 3, computed_held 3"
        )

    async def test_can_look_at_one_wallet(self, ada: Teller) -> None:
        bob = await Teller.of(ada.session, "bob")
        await corrupt(ada.session, CORRUPTIONS["credits that were spent out of turn"][0])

        assert await audit(ada.session, wallet_id=bob.wallet_id) == []
        assert [f.invariant for f in await audit(ada.session, wallet_id=ada.wallet_id)] == [
            "L15"
        ] * 3


async def corrupt(session: AsyncSession, statements: Sequence[str]) -> None:
    await unguard(session)
    for statement in statements:
        await session.execute(text(statement))
