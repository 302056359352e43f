"""Commands that look after the database, on both kinds."""

import asyncio

from sqlalchemy import text

from medici.domain.identity.owner import Owner
from medici.domain.ledger.service.wallets import open_wallet
from medici.kernel.clock import system_clock
from medici.migrations.revisions import newest_revision
from tests.cli.conftest import Shell
from tests.support.databases import opened

NEWEST = newest_revision()


async def enrich(database_url: str) -> None:
    """Write credits into a wallet behind the ledger's back."""
    async with opened(database_url) as database, database.transaction() as session:
        await open_wallet(session, owner=Owner.user("eve"), now=system_clock())
        await session.execute(text("UPDATE credit_wallets SET available = 5"))


class TestMigrate:
    def test_goes_down_and_up_and_tells_so(self, shell_on_either: Shell) -> None:
        shell = shell_on_either

        assert shell.done("migrate", "--down", "base") == [f"revision {NEWEST} → none"]
        assert shell.done("migrate", "--revision", "0001") == ["revision none → 0001"]
        assert shell.done("migrate")[0].endswith(f" → {NEWEST}")

    def test_knows_its_revisions(self, shell: Shell) -> None:
        assert "Can't locate revision" in shell.refused("migrate", "--revision", "7777")


class TestAudit:
    def test_holds_for_an_empty_ledger(self, shell_on_either: Shell) -> None:
        told = shell_on_either.done("ledger", "verify")

        names = [line.split()[0] for line in told if line.strip().startswith("L")]
        assert names == [f"L{number}" for number in range(1, 16)]
        assert told[-1] == "every invariant holds"

    def test_finds_what_was_changed_by_hand(self, shell_on_either: Shell) -> None:
        shell = shell_on_either
        asyncio.run(enrich(shell.database_url))

        result = shell.run("audit")

        findings = [line for line in result.stdout.splitlines() if line.startswith("L")]
        assert [line.split()[0] for line in findings] == ["L3", "L4"]
        assert (result.exit_code, result.stdout.splitlines()[-1]) == (1, "2 findings")

    def test_asks_for_a_migration_first(self, shell: Shell) -> None:
        words = shell.refused("audit")

        assert words.endswith("run: medici migrate (schema_behind)")
