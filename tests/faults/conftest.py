"""What every test of faults needs: a journal, and a seed that it can be repeated with."""

import os
from collections.abc import Iterator
from pathlib import Path
from random import Random, SystemRandom

import pytest

from tests.faults.journal import Journal

SEED = "MEDICI_KILL_SEED"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal.jsonl")
    yield journal
    journal.close()


@pytest.fixture
def draw() -> Random:
    """Chance for one test. A failure shows its seed; set it again to repeat the choices."""
    seed = int(os.environ.get(SEED) or SystemRandom().randrange(1_000_000))
    print(f"{SEED}={seed}")  # noqa: T201 - shown with the failure
    return Random(seed)
