"""Looking at what a command has left behind."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from PIL import Image

from tests.cli.conftest import Shell


def rows(shell: Shell, statement: str) -> list[tuple[Any, ...]]:
    """Run one statement in a shell's SQLite file, behind the application's back."""
    with closing(sqlite3.connect(shell.directory / "app.db")) as connection, connection:
        return connection.execute(statement).fetchall()


def picture_size(path: Path) -> tuple[int, int]:
    with Image.open(path) as picture:
        picture.load()
        return picture.size
