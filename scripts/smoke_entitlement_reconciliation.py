"""Buys in three stores of a running server; the same as ``medici smoke-entitlements``."""

import sys

from medici.cli import app

if __name__ == "__main__":
    app(["smoke-entitlements", *sys.argv[1:]], prog_name="smoke_entitlement_reconciliation.py")
