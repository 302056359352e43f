"""The built-in experiments are set up from the shell."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.cli.conftest import Shell

SCRIPT = Path(__file__).parents[2] / "scripts" / "seed_experiment_templates.py"
ALL = [
    "pricing_paywall_timing",
    "pricing_plan_highlight",
    "provider_preview_quality",
    "provider_fallback_order",
]


def told(outcome: str, *, dry_run: bool = False) -> dict[str, Any]:
    templates = [{"template_id": each, "outcome": outcome} for each in ALL]
    return {"dry_run": dry_run, "templates": templates}


class TestSeedExperimentTemplates:
    def test_sets_each_up_once(self, shell_on_either: Shell) -> None:
        first = shell_on_either.done("seed", "experiment-templates")
        again = shell_on_either.done("seed", "experiment-templates")

        assert json.loads("".join(first)) == told("created")
        assert json.loads("".join(again)) == told("kept")

    def test_can_be_rehearsed(self, shell_on_either: Shell) -> None:
        rehearsed = shell_on_either.done("seed", "experiment-templates", "--dry-run")
        done = shell_on_either.done("seed", "experiment-templates")

        assert json.loads("".join(rehearsed)) == told("created", dry_run=True)
        assert json.loads("".join(done)) == told("created")

    def test_knows_its_options(self, shell: Shell) -> None:
        assert shell.run("seed", "experiment-templates", "--everything").exit_code == 2

    def test_tells_that_there_is_no_database(self, shell: Shell) -> None:
        nowhere = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"}

        refused = shell.refused("seed", "experiment-templates", **nowhere)

        assert refused.startswith("medici: the database does not answer")

    def test_is_a_script_as_well(self, shell: Shell) -> None:
        settings = {"DATABASE_URL": shell.database_url, "MEDICI_DATA_DIR": str(shell.directory)}

        ran = subprocess.run(
            [sys.executable, SCRIPT], env=settings, capture_output=True, check=True, text=True
        )

        assert json.loads(ran.stdout) == told("created")
