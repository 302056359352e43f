"""Structured logs: an event's name in dotted words, ids as fields, one JSON line per event.

``structlog.get_logger().info("render.dispatched", render_job_id=...)``; what a whole request
shares is bound with ``structlog.contextvars.bind_contextvars(request_id=...)``.
"""

import logging
import sys
from typing import TextIO

import orjson
import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor, WrappedLogger

from medici.kernel.telemetry.redact import redact

# Fields that we write ourselves; everything else is looked through.
OURS = frozenset({"level", "timestamp"})
# Libraries that tell every step of theirs at DEBUG.
CHATTY = (
    "uvicorn.access",
    "alembic",
    "asyncio",
    "aiosqlite",
    "aiohttp.access",
    "botocore",
    "PIL",
    "hpack",
)
SERVER_LOGGERS = ("uvicorn", "uvicorn.error", "uvicorn.access")


def configure_logs(level: str, *, json: bool, stream: TextIO | None = None) -> None:
    """Send our events and those of every library through one handler, redacted.

    Args:
        level: name of the lowest level told, such as ``INFO``.
        json: one JSON line per event; otherwise lines for a person at a terminal.
        stream: standard error if not given.
    """
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared(),
            ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    root.handlers = [_handler(stream or sys.stderr, json=json)]
    root.setLevel(level.upper())
    _quiet_libraries()


def redact_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Take secrets and control characters out of every field of an event."""
    return {name: value if name in OURS else redact(value, name) for name, value in event.items()}


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _handler(stream: TextIO, *, json: bool) -> logging.Handler:
    handler = logging.StreamHandler(stream)
    renderer: Processor = _one_line if json else _for_people(stream)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=_shared(),
            processors=[
                structlog.processors.StackInfoRenderer(),
                structlog.processors.format_exc_info,
                ProcessorFormatter.remove_processors_meta,
                redact_event,
                renderer,
            ],
        )
    )
    return handler


def _one_line(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def _for_people(stream: TextIO) -> Processor:
    return structlog.dev.ConsoleRenderer(colors=stream.isatty())


def _quiet_libraries() -> None:
    for name in SERVER_LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers = []
        logger.propagate = True
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
