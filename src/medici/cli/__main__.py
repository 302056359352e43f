"""``python -m medici.cli``: the same as ``medici``."""

from medici.cli import app

app()
