"""What tests of Celery's worker share."""

from collections.abc import Iterator

import pytest

from tests.worker.brokers import Broker


@pytest.fixture
def broker() -> Iterator[Broker]:
    """A broker of this test alone."""
    broker = Broker()
    yield broker
    broker.close()
