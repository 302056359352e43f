"""A laboratory over an empty database."""

import pytest

from medici.kernel.db.database import Database
from tests.domain.assignments.experiments import Laboratory


@pytest.fixture
def laboratory(database: Database) -> Laboratory:
    return Laboratory(database)
