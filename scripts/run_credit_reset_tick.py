"""Runs the daily reset if it is due, and prints JSON; the same as ``medici credits tick``.

Exit codes: 0 it was run, or there was nothing to do; 1 it failed; 2 the command line is wrong.
"""

import sys

from medici.cli import app

if __name__ == "__main__":
    app(["credits", "tick", *sys.argv[1:]], prog_name="run_credit_reset_tick.py")
