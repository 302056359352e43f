"""Logging is set up anew by each test that needs it, and left as it was found."""

import logging
from collections.abc import Iterator

import pytest
import structlog
from structlog.stdlib import ProcessorFormatter


@pytest.fixture(autouse=True)
def logging_restored() -> Iterator[None]:
    root = logging.getLogger()
    level = root.level
    yield
    root.handlers = [it for it in root.handlers if not isinstance(it.formatter, ProcessorFormatter)]
    root.setLevel(level)
    structlog.contextvars.clear_contextvars()
