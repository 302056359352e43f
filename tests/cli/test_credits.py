"""The daily reset from the shell."""

import asyncio
import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from medici.domain.billing.service.allowances import ensure_allowance
from medici.domain.identity.owner import Owner
from medici.domain.plans.service import install_defaults
from medici.kernel.clock import system_clock
from tests.cli.conftest import Shell
from tests.support.databases import opened

SCRIPT = Path(__file__).parents[2] / "scripts" / "run_credit_reset_tick.py"


async def arrive(database_url: str) -> None:
    """Let a user come by yesterday."""
    async with opened(database_url) as database, database.transaction() as session:
        await install_defaults(session, now=system_clock())
        yesterday = system_clock() - timedelta(days=1)
        await ensure_allowance(session, owner=Owner.user("ada"), now=yesterday)


def told(shell: Shell, *words: str) -> dict[str, Any]:
    (line,) = shell.done("credits", *words)
    found: dict[str, Any] = json.loads(line)
    return found


class TestReset:
    def test_tells_what_it_did(self, shell_on_either: Shell) -> None:
        shell = shell_on_either
        asyncio.run(arrive(shell.database_url))

        dry = told(shell, "reset", "--dry-run")
        wet = told(shell, "reset")
        again = told(shell, "reset")

        assert (dry["dry_run"], dry["balances_updated"]) == (True, 1)
        assert (wet["state"], wet["balances_updated"], wet["credits_granted"]) == (
            "completed",
            1,
            3,
        )
        assert again["balances_updated"] == 0


class TestTick:
    def test_runs_what_is_due_once(self, shell_on_either: Shell) -> None:
        first, second = told(shell_on_either, "tick"), told(shell_on_either, "tick")

        assert (first["ran"], first["run_result"]["state"]) == (True, "completed")
        assert (second["ran"], second["skipped_reason"]) == (False, "not_due")

    def test_is_the_script_too(self, shell: Shell) -> None:
        settings = {"DATABASE_URL": shell.database_url, "PATH": os.environ["PATH"]}

        ran = subprocess.run(
            [sys.executable, SCRIPT],
            check=False,
            env=settings,
            cwd=shell.directory,
            capture_output=True,
        )

        assert (ran.returncode, json.loads(ran.stdout)["ran"]) == (0, True)

    def test_fails_with_1_where_there_is_no_database(self, shell: Shell) -> None:
        url = "postgresql://nobody@127.0.0.1:1/nothing"

        result = shell.run("credits", "tick", DATABASE_URL=url)

        assert (result.exit_code, result.stdout) == (1, "")
