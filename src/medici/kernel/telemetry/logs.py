"""Structured logs: an event's name in dotted words, ids as fields, one JSON line per event.

``structlog.get_logger().info("render.dispatched", render_job_id=...)``; what a whole request
shares is bound with ``structlog.contextvars.bind_contextvars(request_id=...)``.
"""

import logging
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TextIO

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
    OUTPUT.stream = stream or sys.stderr
    OUTPUT.last = _last(_one_line if json else _for_people(OUTPUT.stream))
    structlog.configure(
        processors=PROCESSORS,
        logger_factory=Lines,
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    root.handlers = [_handler(OUTPUT.stream, OUTPUT.last)]
    root.setLevel(level.upper())
    _quiet_libraries()


@dataclass(slots=True)
class Output:
    """Where lines go and how they are rendered, for every logger, however early it was made."""

    stream: TextIO
    last: list[Processor]


OUTPUT = Output(sys.stderr, [])


class Lines:
    """A logger that writes finished lines; errors and what else is rare go by ``logging``.

    A record of ``logging`` costs more than all the rest of a line that comes with every request,
    yet whoever watches for errors, Sentry above all, watches there.
    """

    def __init__(self, *names: str) -> None:
        self._logging = logging.getLogger(*names)
        self.name = self._logging.name
        self.debug = self.info = self.warning = self._write

    def __getattr__(self, name: str) -> Any:
        return getattr(self._logging, name)

    def _write(self, line: str) -> None:
        with suppress(OSError, ValueError):  # nobody reads any more; work goes on all the same
            OUTPUT.stream.write(f"{line}\n")
            OUTPUT.stream.flush()


def rendered(logger: WrappedLogger, method: str, event: EventDict) -> Any:
    """Render what ``Lines`` writes, and hand on the arguments of what it passes on."""
    if method not in {"debug", "info", "warning"}:
        return _handed_on(logger, method, event)
    told: Any = event
    for process in OUTPUT.last:
        told = process(logger, method, told)
    return told


def _handed_on(logger: WrappedLogger, method: str, event: EventDict) -> Any:
    arguments, keywords = ProcessorFormatter.wrap_for_formatter(logger, method, event)
    if "exc_info" in event:  # watchers look for it in the record
        keywords["exc_info"] = event["exc_info"]
    return arguments, keywords


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


# One list for good: loggers keep the one they first saw, and ``capture_logs`` changes it in place.
PROCESSORS: list[Processor] = [structlog.stdlib.filter_by_level, *_shared(), rendered]


def _last(renderer: Processor) -> list[Processor]:
    return [
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        redact_event,
        renderer,
    ]


def _handler(stream: TextIO, last: list[Processor]) -> logging.Handler:
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=_shared(),
            processors=[ProcessorFormatter.remove_processors_meta, *last],
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
