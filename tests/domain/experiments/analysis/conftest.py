"""A laboratory on either database."""

import pytest

from medici.kernel.db.database import Database
from tests.domain.experiments.analysis.lab import Lab


@pytest.fixture
def lab(database: Database) -> Lab:
    return Lab(database)
