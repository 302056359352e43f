"""The command ``medici``: everything that an operator does from a shell."""

from medici.cli.main import app

__all__ = ["app"]
