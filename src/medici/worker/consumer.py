"""How a Celery worker hears of messages, and outlives a broker that goes away."""

from typing import Any

import structlog
from celery.worker.consumer import (  # type: ignore[import-untyped]  # it brings no types
    Consumer as CeleryConsumer,
)

log = structlog.get_logger(__name__)


class Consumer(CeleryConsumer):  # type: ignore[misc]  # its base class has no types
    """A consumer that connects anew, whatever goes wrong while it lets go of a lost connection."""

    def on_connection_error_after_connected(self, exc: Exception) -> Any:
        try:
            return super().on_connection_error_after_connected(exc)
        except Exception as error:
            # What is half gone may fail in any way, and the worker would end of it; all that was
            # to be cleaned up is made anew with the next connection.
            log.warning("worker.broker_left_untidily", error=repr(error))
            return None
