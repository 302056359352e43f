"""Judges experiments by their guardrails; the same as ``medici experiments guardrails``.

Prints JSON. Exit codes: 0 it was done; 1 it failed; 2 the command line is wrong.
"""

import sys

from medici.cli import app

if __name__ == "__main__":
    app(
        ["experiments", "guardrails", *sys.argv[1:]],
        prog_name="run_experiment_guardrails.py",
    )
