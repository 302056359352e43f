"""Runs guardrails and then ladders once; the same as ``medici experiments automation``.

Prints JSON. Exit codes: 0 it was done; 1 it failed; 2 a guardrail is breached and
``--fail-on-breach`` was given, or the command line is wrong; 3 a rollout is blocked and
``--fail-on-rollout-blocked`` was given.
"""

import sys

from medici.cli import app

if __name__ == "__main__":
    app(
        ["experiments", "automation", *sys.argv[1:]],
        prog_name="run_experiment_automation.py",
    )
