"""A shell to type commands into, in an empty directory and with settings of its own."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from medici.cli import app
from tests.test_env_example import known


@dataclass(frozen=True, kw_only=True)
class Shell:
    """Runs commands within this process; what a command prints, it gives back."""

    directory: Path
    database_url: str

    def run(self, *words: str | Path, **settings: str) -> Result:
        environment = {
            "DATABASE_URL": self.database_url,
            "MEDICI_DATA_DIR": str(self.directory / "data"),
            **settings,
        }
        return CliRunner().invoke(app, [str(word) for word in words], env=environment)

    def done(self, *words: str | Path, **settings: str) -> list[str]:
        """Run a command that must succeed; give the lines that it prints."""
        result = self.run(*words, **settings)
        assert result.exit_code == 0, result.output
        return result.stdout.splitlines()

    def refused(self, *words: str | Path, **settings: str) -> str:
        """Run a command that must fail with 1; give what it says of that."""
        result = self.run(*words, **settings)
        assert result.exit_code == 1, result.output
        return result.stderr.strip()


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where commands run: nothing is set and no .env lies there."""
    for name in known():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def logs_restored() -> Iterator[None]:
    """A command sends logs to its own standard error, which is closed when it has ended."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level


@pytest.fixture
def shell(directory: Path, logs_restored: None) -> Shell:
    """A shell beside a SQLite file that does not exist yet."""
    return Shell(directory=directory, database_url=f"sqlite:///{directory}/app.db")


@pytest.fixture
def shell_on_either(directory: Path, logs_restored: None, database_url: str) -> Shell:
    """A shell beside a database with every table, on each kind of database."""
    return Shell(directory=directory, database_url=database_url)
