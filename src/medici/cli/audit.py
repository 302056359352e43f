"""Checking the ledger and showing what was found."""

from collections.abc import Sequence

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from medici.cli.process import command_settings, database_alone
from medici.cli.schema import require_newest
from medici.domain.ledger.audit import INVARIANTS, Finding
from medici.domain.ledger.audit import audit as audit_ledger

BURN_ORDER = {"L15": "credits are burnt in their order"}


async def audit() -> None:
    """Check the whole ledger without changing it; exit 1 where anything contradicts."""
    async with database_alone(command_settings()) as database:
        await require_newest(database)
        async with database.reading() as session:
            findings = await audit_ledger(session)
    _show(findings)
    if findings:
        raise typer.Exit(1)


def _show(findings: Sequence[Finding]) -> None:
    console = Console()
    console.print(_table(findings))
    for finding in findings:
        wallet = f" wallet {finding.wallet_id}:" if finding.wallet_id else ""
        console.print(f"[red]{finding.invariant}[/]{wallet} {escape(finding.detail)}")
    verdict = f"{len(findings)} findings" if findings else "every invariant holds"
    console.print(verdict, style="bold red" if findings else "bold green")


def _table(findings: Sequence[Finding]) -> Table:
    table = Table("", "invariant", "findings", box=None, header_style="bold")
    for name, sentence in _sentences().items():
        found = sum(finding.invariant == name for finding in findings)
        table.add_row(name, sentence, f"[red]{found}[/]" if found else "[green]✓[/]")
    return table


def _sentences() -> dict[str, str]:
    """Read each invariant's sentence from the names of the functions that check it."""
    sentences: dict[str, str] = {}
    for name, check in INVARIANTS:
        sentence = check.__name__.replace("_", " ")
        sentences[name] = f"{sentences[name]}; {sentence}" if name in sentences else sentence
    return {**sentences, **BURN_ORDER}
