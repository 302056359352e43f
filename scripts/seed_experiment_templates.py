"""Sets up the built-in experiments; the same as ``medici seed experiment-templates``.

Prints JSON: for each template, whether it was ``created`` or ``kept`` because an experiment of that
id is there. With ``--dry-run`` it tells the same and does nothing.

Exit codes: 0 all are there; 1 it failed; 2 the command line is wrong.
"""

import sys

from medici.cli import app

if __name__ == "__main__":
    app(
        ["seed", "experiment-templates", *sys.argv[1:]],
        prog_name="seed_experiment_templates.py",
    )
