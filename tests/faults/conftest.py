"""What tests of faults need: a journal, a broker, and a seed that they can be repeated with."""

import os
from collections.abc import Iterator
from pathlib import Path
from random import Random, SystemRandom

import pytest

from tests.faults.journal import Journal
from tests.worker.brokers import Broker

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


@pytest.fixture
def broker() -> Iterator[Broker]:
    """A broker of this test alone."""
    broker = Broker()
    yield broker
    broker.close()
